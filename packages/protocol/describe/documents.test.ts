import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type CallEvent, EVENT_CALLS, type EventCall } from '../src/calls.ts';
import { ERROR_CATALOGUE } from '../src/errors.ts';
import { LIMITS } from '../src/limits.ts';
import { httpSchemas, requestSchemas } from '../src/schemas.ts';
import { httpAnswerSchemas, serverEventSchemas } from './answers.ts';
import { DOCUMENTS } from './generate.ts';
import type { Json, JsonObject } from './json-schema.ts';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fileOf = (name: string) => readFileSync(new URL(`../../../docs/api/${name}.json`, import.meta.url), 'utf8');
const parse = (name: keyof typeof DOCUMENTS) => JSON.parse(DOCUMENTS[name]()) as JsonObject;

function* objectsIn(value: Json | undefined): Generator<JsonObject> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  else if (isObject(value)) {
    yield value;
    for (const item of Object.values(value)) yield* objectsIn(item);
  }
}

/** Undefined for a dangling reference. */
function resolve(document: JsonObject, pointer: string): Json | undefined {
  if (!pointer.startsWith('#/')) return undefined;
  const keys = pointer
    .slice(2)
    .split('/')
    .map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'));
  return keys.reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), document);
}

const at = (document: JsonObject, ...keys: string[]): JsonObject => {
  const found = keys.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), document);
  assert(isObject(found), `there is no ${keys.join('.')}`);
  return found;
};

for (const name of ['asyncapi', 'openapi'] as const) {
  describe(`docs/api/${name}.json`, () => {
    const document = parse(name);

    test('equals the output of the generator', () => {
      const how = `node packages/protocol/describe/generate.ts ${name} > docs/api/${name}.json`;
      assert.equal(fileOf(name), DOCUMENTS[name](), `stale; renew it by: ${how}`);
    });

    test('has no dangling references', () => {
      const references = [...objectsIn(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
      assert(references.length > 50);
      for (const reference of references)
        assert(resolve(document, reference) !== undefined, `${reference} leads nowhere`);
    });

    test('has no unused component, except those that both documents share', () => {
      const text = JSON.stringify(document);
      for (const kind of ['messages', 'responses'])
        for (const key of Object.keys(isObject(document.components) ? (document.components[kind] ?? {}) : {}))
          assert(text.includes(`#/components/${kind}/${key}"`), `${kind}/${key}`);
    });

    test('lists every error code', () => {
      assert.deepEqual(at(document, 'components', 'schemas', 'ErrorCode').enum, Object.keys(ERROR_CATALOGUE));
    });
  });
}

describe('the events', () => {
  const document = parse('asyncapi');
  const operations = at(document, 'operations');

  test('match the schemas, each with its answer', () => {
    const received = Object.entries(operations).filter(
      ([, operation]) => at({ operation }, 'operation').action === 'receive',
    );
    const expected = ['connect', ...Object.keys(requestSchemas).map((event) => event.replace(':', '.'))];
    assert.deepEqual(received.map(([id]) => id).sort(), expected.sort());
    for (const [id, operation] of received) assert(at({ operation }, 'operation', 'reply').messages, id);
  });

  test('use the names of the server’s events', () => {
    const names = Object.entries(operations)
      .filter(([, operation]) => at({ operation }, 'operation').action === 'send')
      .map(([id]) => at(document, 'components', 'messages', id).name);
    assert.deepEqual(names.sort(), Object.keys(serverEventSchemas).sort());
  });

  test('of a room name the error for users who were banned from it', () => {
    for (const [name, { shape }] of Object.entries(requestSchemas)) {
      // A new room has no bans, and everyone may leave.
      if (!('room' in shape) || name === 'room:create' || name === 'room:leave') continue;
      assert.match(String(at(operations, name.replace(':', '.')).description), /forbidden/, name);
    }
  });

  test('use valid AsyncAPI ids and messages of their own channel', () => {
    for (const id of [...Object.keys(operations), ...Object.keys(at(document, 'components', 'messages'))])
      assert.match(id, /^[\w.-]+$/);
    for (const operation of Object.values(operations)) {
      const { messages } = at({ operation }, 'operation');
      for (const { $ref } of messages as Array<{ $ref: string }>) assert.match($ref, /^#\/channels\/main\/messages\//);
    }
  });
});

describe('the HTTP API', () => {
  const document = parse('openapi');
  const calls = Object.entries(at(document, 'paths')).flatMap(([path, item]) =>
    Object.values(at({ item }, 'item')).map((call) => ({ path, call: at({ call }, 'call') })),
  );

  test('lists every operation once', () => {
    assert.deepEqual(calls.map(({ call }) => call.operationId).sort(), Object.keys(httpAnswerSchemas).sort());
  });

  test('matches the schemas of queries and bodies', () => {
    const queries = calls.map(({ call }) =>
      ((call.parameters ?? []) as Array<{ name: string; in: string }>)
        .filter((one) => one.in === 'query')
        .map(({ name }) => name),
    );
    const { rooms, audit, export: exported, users, roomsOfCluster, reportedRooms, presence } = httpSchemas;
    for (const schema of [rooms, audit, exported, users, roomsOfCluster, reportedRooms, presence])
      assert(queries.some((names) => names.join() === Object.keys(schema.shape).join()));
    const inQueries = ['audit', 'export', 'presence', 'reportedRooms', 'rooms', 'roomsOfCluster', 'users'];
    const others = ['announcement', 'disconnect', 'guest', 'job', 'node', 'revoke', 'signIn'];
    assert.deepEqual(Object.keys(httpSchemas).sort(), [...inQueries, ...others].sort(), 'describe the new one');
  });

  test('has each member of the event that a call corresponds to, in one place', () => {
    for (const [name, { event, fixed }] of Object.entries(EVENT_CALLS) as Array<[string, EventCall]>) {
      const { call } = calls.find((one) => one.call.operationId === name) ?? assert.fail(name);
      const parameters = (call.parameters ?? []) as Array<{ name: string }>;
      const body = call.requestBody === undefined ? {} : at({ call }, 'call', 'requestBody', 'content');
      const inBody = 'application/json' in body ? at(body, 'application/json', 'schema', 'properties') : {};
      const named = [...parameters.map((one) => one.name), ...Object.keys(inBody), ...Object.keys(fixed ?? {})];
      for (const member of Object.keys(requestSchemas[event].shape))
        assert.equal(
          named.filter((one) => one === (member === 'clientMsgId' ? 'Idempotency-Key' : member)).length,
          1,
          `${name} ${member}`,
        );
    }
  });

  test('has a call for each event, except those of a connection', () => {
    const called = Object.values(EVENT_CALLS).flatMap((call: EventCall) => [
      call.event,
      ...Object.values(call.views ?? {}),
    ]);
    const ofConnections = Object.keys(requestSchemas).filter((event) => !called.includes(event as CallEvent));
    assert.deepEqual(ofConnections.sort(), [
      'auth:renew',
      ...['presence:unwatch', 'presence:watch', 'room:join', 'room:leave'],
    ]);
  });

  test('has the default limit of each page', () => {
    const defaultOf = (id: string) => {
      const { call } = calls.find((one) => one.call.operationId === id) ?? assert.fail(id);
      const parameters = call.parameters as Array<{ name: string; schema: { default?: unknown } }>;
      return parameters.find(({ name }) => name === 'limit')?.schema.default;
    };
    assert.deepEqual(
      [defaultOf('search'), defaultOf('listRooms')],
      [LIMITS.searchPageDefault, LIMITS.pageEntriesDefault],
    );
  });

  test('declares path parameters, a success answer and the common errors of each call', () => {
    for (const { path, call } of calls) {
      const parameters = (call.parameters ?? []) as Array<{ name: string; in: string }>;
      const declared = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      assert.deepEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        declared,
        path,
      );
      const statuses = Object.keys(at({ call }, 'call', 'responses'));
      for (const status of ['400', '403', '405', '429', '500', '503'])
        assert(statuses.includes(status), `${path} ${status}`);
      assert(
        statuses.some((status) => status.startsWith('2')),
        path,
      );
      // The call has no token, but it has a password.
      const checksWho = call.security === undefined || path === '/sign-in';
      assert.equal(statuses.includes('401'), checksWho, path);
    }
  });
});

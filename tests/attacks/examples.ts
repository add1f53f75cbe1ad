/**
 * One valid request for each event and HTTP call. The fuzzer changes them. A new event does not
 * compile without an example, and `examples.test.ts` sends each.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RequestName } from '@maru/protocol';
import { repository } from '../support/cluster.ts';
import { newId } from '../support/tokens.ts';

export interface ExampleValues {
  room: string;
  token: string;
  user: string;
  clientMsgId?: string;
}

/** Each is valid by its schema, but the sender may not have the right for it. */
export const exampleEvents = ({ room, token, user, clientMsgId = newId() }: ExampleValues) =>
  ({
    'room:create': { room, title: 'A title' },
    'room:join': { room, since: { epoch: '1.a', seq: 0 }, limit: 20 },
    'message:send': { room, clientMsgId, text: 'hello', thread: 1, mentions: [user] },
    'message:edit': { room, seq: 1, clientMsgId, text: 'hello again', mentions: [user] },
    'message:delete': { room, seq: 1, clientMsgId, reason: 'off topic' },
    'message:react': { room, seq: 1, clientMsgId, emoji: '👍🏽', active: true },
    'message:pin': { room, seq: 1, clientMsgId, active: true },
    'history:read': { room, before: 5, limit: 10 },
    'messages:read': { room, around: 1, thread: 1, limit: 10 },
    search: { query: 'hello -"a b" 한', room, from: user, before: 9, after: 1, cursor: '5-1-tea', limit: 10 },
    'rooms:mine': { cursor: 'a', limit: 10 },
    'room:follow': { room, active: true, notify: 'mentions' },
    'room:read': { room, seq: 1 },
    'room:readers': { room },
    'room:members': { room, limit: 10 },
    'room:invite': { room, user },
    'room:update': { room, clientMsgId, title: 'Tea', topic: 'All about tea', readOnly: false, slowModeS: 0 },
    'room:role': { room, clientMsgId, user, role: 'moderator' },
    'room:kick': { room, clientMsgId, user, forMs: 60_000, reason: 'noise' },
    'room:ban': { room, clientMsgId, user, forMs: 60_000, reason: 'noise' },
    'room:unban': { room, clientMsgId, user, reason: 'over' },
    'room:mute': { room, clientMsgId, user, forMs: 60_000, reason: 'noise' },
    'room:unmute': { room, clientMsgId, user, reason: 'over' },
    'room:bans': { room, cursor: 'a', limit: 10 },
    'message:report': { room, seq: 1, reason: 'spam' },
    'room:reports': { room, cursor: 'a', limit: 10 },
    'room:report-close': { room, id: '1' },
    'room:quit': { room, clientMsgId },
    'room:delete': { room },
    typing: { room, active: true, thread: 1 },
    'presence:watch': { room },
    'presence:unwatch': { room },
    'presence:set': { status: 'away', text: 'lunch' },
    'auth:renew': { token },
    'room:leave': { room },
  }) satisfies Record<RequestName, Record<string, unknown>>;

export interface ExampleCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** Bodies by method and path of the OpenAPI document. */
const BODIES: Record<string, unknown> = {
  'POST /guests': { name: 'Mina' },
  'POST /sign-in': { username: 'mina', password: 'secret' },
  'POST /rooms': { visibility: 'private', title: 'A title' },
  'PATCH /rooms/{room}': { title: 'Tea', topic: 'All about tea', readOnly: false, slowModeS: 0 },
  'PUT /rooms/{room}/members/{user}/role': { role: 'moderator' },
  'POST /rooms/{room}/members/{user}/kick': { forMs: 60_000, reason: 'noise' },
  'POST /rooms/{room}/members/{user}/ban': { forMs: 60_000, reason: 'noise' },
  'POST /rooms/{room}/members/{user}/unban': { reason: 'over' },
  'POST /rooms/{room}/members/{user}/mute': { forMs: 60_000, reason: 'noise' },
  'POST /rooms/{room}/members/{user}/unmute': { reason: 'over' },
  'POST /rooms/{room}/messages': { text: 'hello', mentions: ['mina'] },
  'PATCH /rooms/{room}/messages/{seq}': { text: 'hello again', mentions: ['mina'] },
  'POST /rooms/{room}/messages/{seq}/report': { reason: 'spam' },
  'PUT /me/rooms/{room}': { notify: 'mentions' },
  'PUT /rooms/{room}/read-position': { seq: 1 },
  'POST /admin/users/{id}/revoke': { reason: 'spam' },
  'POST /admin/users/{id}/disconnect': { reason: 'spam' },
  'POST /admin/announcements': { text: 'Maintenance at noon' },
};

/** Excluded, because it would revoke the tokens that the fuzzer uses. `oidc.test.ts` tests it. */
const ENDS_TOKENS = 'POST /sign-out';

/** Members of a query that exclude others. */
const LEFT_OUT = ['after', 'around', 'thread', 'pinned', 'view'];

interface Operation {
  requestBody?: unknown;
  parameters?: Array<{ name: string; in: string; schema: { minimum?: number } }>;
}

/** Calls that the document describes with a body but that have no example. */
export const callsWithoutBody = (): string[] =>
  operations()
    .filter(({ key, operation }) => operation.requestBody !== undefined && !(key in BODIES))
    .map(({ key }) => key);

/** One for each operation of the OpenAPI document, which is generated from the schemas. */
export const exampleCalls = ({ room, token, user, clientMsgId = newId() }: ExampleValues): ExampleCall[] =>
  changeable().map(({ method, path: template, key, operation }) => {
    const values: Record<string, string> = {
      room,
      user,
      id: user,
      seq: '1',
      emoji: '%E2%98%95',
      notify: 'none',
      reason: 'spam',
      cursor: 'a',
      epoch: '1.a',
      job: 'a1',
    };
    const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'absent');
    const query = (operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'query' && !LEFT_OUT.includes(parameter.name))
      .map(({ name, schema }) => `${name}=${values[name] ?? schema.minimum ?? 1}`)
      .join('&');
    return {
      method,
      path: `/api/v1${filled}${query === '' ? '' : `?${query}`}`,
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': clientMsgId, 'content-type': 'application/json' },
      body: BODIES[key],
    };
  });

const changeable = () => operations().filter(({ key }) => key !== ENDS_TOKENS);

function operations() {
  const text = readFileSync(path.join(repository, 'docs/api/openapi.json'), 'utf8');
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([name, operation]) => {
      const method = name.toUpperCase();
      return { method, path: template, key: `${method} ${template}`, operation };
    }),
  );
}

/** Arbitraries of fast-check: valid packets and calls, changed in structure and in bytes. */
import fc from 'fast-check';
import { type ExampleCall, type ExampleValues, exampleCalls, exampleEvents } from './examples.ts';
import { frame } from './frame-socket.ts';

const HOSTILE_VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'a\r\nb',
  '\u0000',
  '\ud800',
  '\u202e',
  '\u200b',
  'ａｂｃ',
  '1',
  '{x}',
  'maru:{x}:log',
  'p-x',
  'guest-1',
  '../../etc/passwd',
  'x'.repeat(5_000),
  '👋'.repeat(4_001),
  [],
  {},
  [[[]]],
  { _placeholder: true, num: 0 },
  { $gt: '' },
];
const HOSTILE_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'from', 'seq', 'ts', 'user', 'roles', '0'];
const RESERVED_EVENTS = ['connect', 'disconnect', 'error', 'newListener', 'session', 'message', '__proto__', '0', ''];
/** Possible beginnings of a Socket.IO packet: types, attachments, namespaces, ack ids. */
const HEADERS = ['0', '1', '2', '3', '4', '5', '6', '7', '9', '51-', '50-', '5999999999-', '61-', '2/x,', '0/x,', ''];
const ACK_IDS = ['', '0', '-1', '1e9', '99999999999999999999', '007', ' 1'];
/** Characters with a meaning for one of the parsers. */
const BYTES = ['[', ']', '{', '}', '"', '\\', ',', ':', '-', '/', '0', '9', ' ', '\u001e', '\n', '\u0000', 'é', 'b4'];

const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_VALUES) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown> },
);

interface Change {
  kind: 'replace' | 'remove' | 'add' | 'wrap' | 'deepen';
  at: number;
  key: string;
  value: unknown;
}
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('replace', 'replace', 'remove', 'add', 'wrap', 'deepen'),
  at: fc.nat(20),
  key: fc.constantFrom(...HOSTILE_KEYS),
  value: hostile,
});

const JSON_OF_DEPTH = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/**
 * The JSON of a payload after some changes. It is text, because an object cannot have two
 * `__proto__`.
 */
function changedJson(payload: object, changes: readonly Change[]): string {
  const fields = Object.entries(payload).map(([key, value]): [string, string] => [key, JSON.stringify(value)]);
  let wrapped = (json: string) => json;
  for (const { kind, at, key, value } of changes) {
    const index = fields.length === 0 ? 0 : at % fields.length;
    const field = fields[index];
    if (kind === 'add') fields.push([key, JSON.stringify(value)]);
    else if (kind === 'deepen') fields.push([key, JSON_OF_DEPTH(2 ** (at % 14))]);
    else if (kind === 'wrap') wrapped = at % 2 === 0 ? (json) => `[${json}]` : (json) => `${json},${json}`;
    else if (kind === 'remove') fields.splice(index, 1);
    else if (field !== undefined) field[1] = JSON.stringify(value);
  }
  return wrapped(`{${fields.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`);
}

interface Edit {
  at: number;
  length: number;
  text: string;
}
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(999),
  length: fc.constantFrom(0, 0, 1, 1, 2, 9, 40),
  text: fc.oneof(fc.constantFrom('', ...BYTES), fc.string({ maxLength: 4 })),
});

const edited = (text: string, edits: readonly Edit[]): string =>
  edits.reduce((now, { at, length, text: inserted }) => {
    const place = Math.floor((at / 1_000) * (now.length + 1));
    return now.slice(0, place) + inserted + now.slice(place + length);
  }, text);

const rarely = <T>(value: fc.Arbitrary<T>, ordinary: T, weight = 6): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(ordinary) }, { weight: 1, arbitrary: value });

const eventText = (name: string, json: string): string => `[${JSON.stringify(name)},${json}]`;

/** Packets that every parser accepts, so their requests reach the handlers. */
export function requests(values: ExampleValues): fc.Arbitrary<string> {
  return fc
    .record({
      example: fc.constantFrom(...Object.entries(exampleEvents(values))),
      name: rarely(fc.constantFrom(...RESERVED_EVENTS), undefined as string | undefined, 100),
      ackId: fc.nat(99),
      changes: fc.array(change, { maxLength: 3 }),
    })
    .map(
      ({ example: [event, payload], name, ackId, changes }) =>
        `42${ackId}${eventText(name ?? event, changedJson(payload, changes))}`,
    );
}

/** Packets with a different header or different bytes. Most of them close the transport. */
export function packets(values: ExampleValues): fc.Arbitrary<string> {
  return fc
    .record({
      example: fc.constantFrom(...Object.entries(exampleEvents(values))),
      engine: rarely(fc.constantFrom('0', '1', '2', '3', '5', '6', '', 'b'), '4'),
      header: rarely(fc.constantFrom(...HEADERS), '2', 2),
      ackId: rarely(fc.constantFrom(...ACK_IDS), '5', 3),
      changes: fc.array(change, { maxLength: 2 }),
      edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
    })
    .map(({ example: [event, payload], engine, header, ackId, changes, edits }) => {
      const text = eventText(event, changedJson(payload, changes));
      return engine + edited(`${header}${ackId}${text}`, edits);
    });
}

/** WebSocket frames with any first byte and payload, and a length that may be false. */
export const rawFrames = (values: ExampleValues): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      first: rarely(fc.nat(0xff), 0x81, 1),
      masked: rarely(fc.constant(false), true),
      payload: fc.oneof(packets(values), fc.uint8Array({ maxLength: 200 })),
      surplus: rarely(fc.constantFrom(-1, 1, 1_000, 2 ** 31, 2 ** 50), 0),
    })
    .map(({ first, masked, payload, surplus }) => {
      const length = Math.max(0, Buffer.byteLength(payload as string) + surplus);
      return frame(first & 0x7f, payload, { final: first > 0x7f, masked, length });
    });

/** Bodies of long-polling POSTs. */
export const postBodies = (values: ExampleValues): fc.Arbitrary<string> =>
  fc
    .record({
      packets: fc.array(fc.oneof(requests(values), packets(values)), { minLength: 1, maxLength: 3 }),
      separator: rarely(fc.constantFrom('', '\n', '\u001e\u001e', '1:'), '\u001e'),
      edits: rarely(fc.array(edit, { minLength: 1, maxLength: 2 }), []),
    })
    .map(({ packets: all, separator, edits }) => edited(all.join(separator), edits));

export type Call = Omit<ExampleCall, 'body'> & { body: string | undefined };

/** Calls of the HTTP API. Their paths and headers stay legal for Node's HTTP client. */
export function calls(values: ExampleValues): fc.Arbitrary<Call> {
  return fc
    .record({
      example: fc.constantFrom(...exampleCalls(values)),
      method: rarely(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'), undefined, 10),
      pathEdits: rarely(fc.array(edit, { minLength: 1, maxLength: 3 }), [], 2),
      changes: fc.array(change, { maxLength: 3 }),
      bodyEdits: rarely(fc.array(edit, { minLength: 1, maxLength: 3 }), [], 2),
      header: rarely(
        fc.tuple(
          fc.constantFrom('authorization', 'idempotency-key', 'content-type', 'content-encoding', 'x-forwarded-for'),
          fc.constantFrom('', 'x', 'Bearer x', 'gzip', '__proto__', '1.1.1.1, 2.2.2.2', 'y'.repeat(300)),
        ),
        undefined,
        4,
      ),
    })
    .map(({ example, method, pathEdits, changes, bodyEdits, header }) => {
      const { body, headers, path } = example;
      const hasBody = body !== undefined && method !== 'HEAD' && method !== 'GET';
      return {
        method: method ?? example.method,
        path: legalPath(edited(path, pathEdits)),
        headers: header === undefined ? headers : { ...headers, [header[0]]: header[1] },
        body: hasBody ? edited(changedJson(body as object, changes), bodyEdits) : undefined,
      };
    });
}

const legalPath = (path: string): string =>
  `/${path.replace(/[^\x21-\x7e]/gu, (unit) => (unit.length === 1 && /[\ud800-\udfff]/.test(unit) ? '%ff' : encodeURIComponent(unit)))}`.replace(
    /^\/\//,
    '/',
  );

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { z } from 'zod';
import type { ErrorBody } from '../src/errors.ts';
import type { AuthConfig, ClientEventName, ClientRequests, ServerEvents, SignInData } from '../src/events.ts';
import type { requestSchemas } from '../src/schemas.ts';
import type { errorBody } from './answer-shapes.ts';
import type { answerSchemas, httpAnswerSchemas, serverEventSchemas } from './answers.ts';
import { assertAnswer, assertHttpAnswer, assertServerEvent } from './assert-answer.ts';

/**
 * Whether types are assignable in both directions. Fields are also compared as required, because an
 * optional field may be missing on one side.
 */
type Same<A, B> = Both<A, B> extends true ? Both<Whole<A>, Whole<B>> : false;
type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Whole<T> = T extends object ? { [K in keyof T]-?: Whole<T[K]> } : T;

// These lines are the test: they fail to compile if a schema and its interface differ.
type Answers = { [N in ClientEventName]: Same<z.infer<(typeof answerSchemas)[N]>, ClientRequests[N][1]> };
type Events = {
  [N in keyof ServerEvents]: Same<z.infer<(typeof serverEventSchemas)[N]>, Parameters<ServerEvents[N]>[0]>;
};
/**
 * Every payload that the interface allows must pass the schema. `room:create` is a union there and
 * one shape here.
 */
type Sent = Exclude<ClientEventName, 'room:create'>;
type Requests = { [N in Sent]: ClientRequests[N][0] extends z.input<(typeof requestSchemas)[N]> ? true : false };
type AllTrue<T extends Record<string, true>> = T;
type Checked = [
  AllTrue<Answers>,
  AllTrue<Events>,
  AllTrue<Requests>,
  AllTrue<{ error: Same<z.infer<typeof errorBody>, ErrorBody> }>,
  AllTrue<{ signIn: Same<z.infer<(typeof httpAnswerSchemas)['signIn']>, SignInData> }>,
  AllTrue<{ authConfig: Same<z.infer<(typeof httpAnswerSchemas)['readAuthConfig']>, AuthConfig> }>,
];

const from = { id: 'u', name: 'U' };
const entry = (seq: number) => ({
  room: 'tea',
  epoch: '1.a',
  seq,
  ts: 1,
  n: seq,
  type: 'text',
  from,
  clientMsgId: 'm',
  text: 'hi',
});
const react = { emoji: '👍', count: 11, mine: false, users: 'abcdefghij'.split('') };
const deleted = { ...entry(2), text: '', erased: true, deleted: { ts: 1, by: 'u' } };
const { text: _text, ...erased } = { ...entry(2), erased: true };
const read = { epoch: '1.a', head: 9, hasMore: false, hasNewer: false };
const mine = {
  ...{ room: 'tea', title: 'Tea', visibility: 'public', role: 'member', epoch: '1.a', head: 9, n: 5 },
  ...{ read: { seq: 3, n: 2 }, unread: 3, mentions: 1, notify: 'all' },
};
const info = { visibility: 'public', title: '' };
const joined = { room: 'tea', role: 'member', epoch: '1.a', head: 3, n: 3, first: 1, recovered: true, ...info };
const ok = (data: unknown) => ({ ok: true, data });
const refused = (error: object) => ({ ok: false, error: { message: 'no', ...error } });

describe('answers checked against the contract', () => {
  const _checked: Checked | undefined = undefined;

  test('valid answers pass', () => {
    assertAnswer('room:join', ok({ ...joined, messages: [entry(2), entry(3)] }));
    assertAnswer('room:leave', ok({}));
    assertAnswer('message:send', refused({ code: 'rate_limited', retryable: true, retryAfterMs: 5 }));
    assertAnswer('room:explode', refused({ code: 'invalid', retryable: false }));
    assertServerEvent('message', { ...entry(1), type: 'room.title', data: { title: 'x' } });
    assertServerEvent('message', erased);
    assertServerEvent('inbox', { type: 'read', room: 'tea', seq: 3, n: 2, unread: 1, mentions: 0 });
    assertAnswer('messages:read', ok({ ...read, messages: [{ ...entry(1), reactions: [react] }, deleted, entry(9)] }));
    assertAnswer('rooms:mine', ok({ rooms: [mine, { ...mine, visibility: 'direct', with: 'u' }] }));
    assertHttpAnswer('postMessage', 201, { epoch: '1.a', seq: 1, ts: 1, n: 1, duplicate: false });
  });

  const wrong: Array<[string, () => void]> = [
    ['a field that the contract does not name', () => assertAnswer('room:leave', ok({ extra: 1 }))],
    ['a missing field', () => assertAnswer('message:send', ok({ epoch: '1.a', seq: 1, ts: 1 }))],
    ['undefined in place of an absent field', () => assertAnswer('presence:watch', ok({ count: 1, users: undefined }))],
    ['a hole among entries', () => assertAnswer('room:join', ok({ ...joined, messages: [entry(1), entry(3)] }))],
    ['entries that end below head', () => assertAnswer('room:join', ok({ ...joined, messages: [entry(1)] }))],
    ['recovered with a reason', () => assertAnswer('room:join', ok({ ...joined, messages: [], reason: 'epoch' }))],
    ['a text entry without text', () => assertServerEvent('message', { ...entry(1), text: undefined })],
    ['a text entry with an empty text', () => assertServerEvent('message', { ...entry(1), text: '' })],
    ['an erased entry with its text', () => assertServerEvent('message', { ...erased, text: 'hi' })],
    ['a deleted message with its text', () => assertServerEvent('message', { ...deleted, text: 'hi' })],
    [
      'a page of messages with an act',
      () => assertAnswer('messages:read', ok({ ...read, messages: [{ ...entry(1), type: 'room.ban', data: {} }] })),
    ],
    ['messages that descend', () => assertAnswer('messages:read', ok({ ...read, messages: [entry(3), entry(2)] }))],
    ['messages above head', () => assertAnswer('messages:read', ok({ ...read, messages: [entry(10)] }))],
    [
      'a reaction that does not name the first users',
      () => assertServerEvent('message', { ...entry(1), reactions: [{ ...react, users: ['a'] }] }),
    ],
    ['unread that is no subtraction', () => assertAnswer('rooms:mine', ok({ rooms: [{ ...mine, unread: 2 }] }))],
    [
      'a direct room without the other user',
      () => assertAnswer('rooms:mine', ok({ rooms: [{ ...mine, visibility: 'direct' }] })),
    ],
    ['retryable that does not fit', () => assertAnswer('typing', refused({ code: 'invalid', retryable: true }))],
    ['rate_limited without a time', () => assertAnswer('typing', refused({ code: 'rate_limited', retryable: true }))],
    ['an unknown event that is not refused', () => assertAnswer('room:explode', ok({}))],
    ['no acknowledgement at all', () => assertAnswer('typing', undefined)],
    ['an unknown server event', () => assertServerEvent('toString', {})],
    ['a problem as a success', () => assertHttpAnswer('listRooms', 200, { code: 'invalid' })],
  ];
  for (const [what, hold] of wrong) test(`${what} is refused`, () => assert.throws(hold, TypeError));
});

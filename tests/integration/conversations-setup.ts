/** Two gateways, and rooms in which a member and an owner perform every act on messages. */
import assert from 'node:assert/strict';
import type { ClientEventName, Entry, SendData } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { newId } from '../support/tokens.ts';

export type MessageEvent = Extract<ClientEventName, `message:${string}`>;

/** A request with a message as target and a new id. */
export const about = (room: string, seq: number, more: object = {}) =>
  ({ room, seq, clientMsgId: newId(), ...more }) as never;

export const say = (client: TestClient, room: string, text = 'x', more: object = {}): Promise<SendData> =>
  client.ok('message:send', { room, clientMsgId: newId(), text, ...more });

/** One request of each kind with a message as target. */
export const changesOf = (room: string, seq: number): Array<[MessageEvent, object]> => [
  ['message:edit', about(room, seq, { text: 'edited' })],
  ['message:react', about(room, seq, { emoji: '🎉', active: true })],
  ['message:pin', about(room, seq, { active: true })],
  ['message:send', { room, clientMsgId: newId(), text: 'a reply', thread: seq }],
  ['message:delete', about(room, seq)],
];

/** The current form of the message. */
export async function messageAt(client: TestClient, room: string, seq: number): Promise<Entry> {
  const { messages } = await client.ok('messages:read', { room, around: seq, limit: 1 });
  assert.equal(messages[0]?.seq, seq);
  return messages[0] as Entry;
}

/** The content of an entry, without author and time. */
export const contentOf = ({ seq, n, type, text, data, thread, mentions, erased }: Entry): object =>
  Object.fromEntries(
    Object.entries({ seq, n, type, text, data, thread, mentions, erased }).filter(([, value]) => value !== undefined),
  );

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** Distinct emoji of one grapheme each. */
export const emojiOf = (count: number): string[] =>
  range(0, count - 1).map((index) => String.fromCodePoint(0x1f600 + index));

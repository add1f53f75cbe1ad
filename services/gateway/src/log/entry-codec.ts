/** Entries as clients see them, composed from what the log keeps. The only place that knows both forms. */
import type { Entry } from '@maru/protocol';
import type { StoredEntry } from './room-log.ts';

/** What the log keeps of a message: everything but its place, which only the store can give. */
export function encodeMessage(message: { userId: string; userName: string; clientMsgId: string; text: string }): {
  head: string;
  tail: string;
} {
  const from = JSON.stringify({ id: message.userId, name: message.userName });
  return {
    head: `"type":"text","from":${from},"clientMsgId":${JSON.stringify(message.clientMsgId)}`,
    tail: `"text":${JSON.stringify(message.text)}`,
  };
}

/** `body` is head, comma, tail and the closing brace, as the live channel carries it. Room and epoch need no escaping. */
export function composeJson(room: string, epoch: string, seq: number, ts: number, body: string): string {
  return `{"room":"${room}","epoch":"${epoch}","seq":${seq},"ts":${ts},${body}`;
}

export const storedBody = (entry: StoredEntry): string => `${entry.head},${entry.tail}}`;

export function toEntry(room: string, epoch: string, entry: StoredEntry): Entry {
  return JSON.parse(composeJson(room, epoch, entry.seq, entry.ts, storedBody(entry))) as Entry;
}

/**
 * The content of an entry, to compare readers with each other and with the sent messages. A live
 * entry has its original form. A read shows the current text. Pure.
 */
import type { Entry, MessageActEntries } from '@maru/protocol/events';

export type MessageAct = {
  [T in keyof MessageActEntries]: { type: T; data: MessageActEntries[T] };
}[keyof MessageActEntries];

/** A message or an act in the form in which a client sends it. */
export type Content = { text: string; thread?: number; mentions?: readonly string[] } | { act: MessageAct };

const orderly = (data: unknown) =>
  typeof data === 'object' && data !== null
    ? Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1))
    : (data ?? null);

/** Without the text of edits, which may be erased. */
function dataOf(type: string, data: unknown): unknown {
  if (type !== 'message.edit') return orderly(data);
  const { text: _, mentions: __, ...rest } = (data ?? {}) as MessageActEntries['message.edit'];
  return orderly(rest);
}

/**
 * The part on which all readers of the log must agree at any time: everything except texts and
 * mentions.
 */
export function contentOf({ type, from, clientMsgId, thread, data, ts, n }: Entry): string {
  return JSON.stringify([type, from.id, from.name, clientMsgId ?? null, thread ?? null, dataOf(type, data), ts, n]);
}

/** The text and mentions of an entry. Undefined if they were erased. */
export function wordsOf({ type, text, mentions, data, erased }: Entry): string | undefined {
  if (erased === true) return undefined;
  if (type !== 'message.edit') return JSON.stringify([text ?? null, mentions ?? []]);
  const edit = data as MessageActEntries['message.edit'];
  return JSON.stringify([edit.text ?? null, edit.mentions ?? []]);
}

/** The message whose text the entry has: itself, or the one that it edits. */
export function subjectOf({ type, seq, data }: Entry): number {
  return type === 'message.edit' ? (data as MessageActEntries['message.edit']).seq : seq;
}

export interface SentContent {
  /** Comparable with the shape of an entry. */
  shape: string;
  words: string;
}

export function sentContent(content: Content): SentContent {
  if ('act' in content) {
    const { type, data } = content.act;
    const words = wordsOf({ type, data } as unknown as Entry) ?? '';
    return { shape: JSON.stringify([type, null, dataOf(type, data)]), words };
  }
  const { text, thread = null, mentions = [] } = content;
  return { shape: JSON.stringify(['text', thread, null]), words: JSON.stringify([text, mentions]) };
}

export const shapeOf = ({ type, thread, data }: Entry): string =>
  JSON.stringify([type, thread ?? null, dataOf(type, data)]);

/**
 * The form in which an inbox event travels between nodes: `1 ` and its JSON, which clients get
 * unchanged. Nodes of different releases share the channels, so a node drops events that it does
 * not know.
 */
import type { InboxEvent } from '@maru/protocol';

const VERSION = '1 ';

/** The members of each type of event, besides `type` and `room`, and their JSON types. */
const MEMBERS: Record<InboxEvent['type'], Record<string, 'string' | 'number' | 'object'>> = {
  message: { seq: 'number', ts: 'number', n: 'number', from: 'object', text: 'string' },
  mention: { seq: 'number', ts: 'number', n: 'number', from: 'object', text: 'string' },
  invite: { title: 'string', from: 'object' },
  removed: { reason: 'string' },
  read: { seq: 'number', n: 'number', unread: 'number', mentions: 'number' },
};

export const encodeInboxEvent = (event: InboxEvent): string => VERSION + JSON.stringify(event);

/** The JSON of the event. Undefined if it is malformed: the caller drops and counts it. */
export function decodeInboxEvent(payload: string): string | undefined {
  if (!payload.startsWith(VERSION)) return undefined;
  const json = payload.slice(VERSION.length);
  let event: unknown;
  try {
    event = JSON.parse(json);
  } catch {
    return undefined;
  }
  return isInboxEvent(event) ? json : undefined;
}

function isInboxEvent(value: unknown): value is InboxEvent {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as Record<string, unknown>;
  if (typeof event.type !== 'string' || typeof event.room !== 'string') return false;
  if (!Object.hasOwn(MEMBERS, event.type)) return false;
  return Object.entries(MEMBERS[event.type as InboxEvent['type']]).every(
    ([name, type]) => typeof event[name] === type && event[name] !== null,
  );
}

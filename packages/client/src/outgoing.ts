/** Messages and acts on messages that a user sends to a room. */
import type { ClientEventName, ClientRequests } from '@maru/protocol/events';

export interface NewMessage {
  readonly text: string;
  /** The `seq` of the message that it replies to. */
  readonly thread?: number;
  readonly mentions?: readonly string[];
}

/** A change of the message `seq`. */
export type MessageAct =
  | { type: 'edit'; seq: number; text: string; mentions?: readonly string[] }
  | { type: 'delete'; seq: number; reason?: string }
  | { type: 'react'; seq: number; emoji: string; active: boolean }
  | { type: 'pin'; seq: number; active: boolean };

export type Outgoing = ({ type: 'send' } & NewMessage) | MessageAct;

type OutgoingName = Extract<ClientEventName, `message:${Outgoing['type']}`>;

/** The request that stores it. */
export function requestOf(
  room: string,
  clientMsgId: string,
  { type, ...content }: Outgoing,
): { name: OutgoingName; payload: ClientRequests[OutgoingName][0] } {
  // Each type of content has the same fields as its request.
  return { name: `message:${type}`, payload: { room, clientMsgId, ...content } as ClientRequests[OutgoingName][0] };
}

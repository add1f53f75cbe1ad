/** Own messages of a room whose entries have not arrived, in sending order. Pure. */
import type { Entry } from '@maru/protocol/events';
import type { OutgoingMessage } from '../events.ts';
import type { RoomModel } from './model-state.ts';

export const without = (outgoing: readonly OutgoingMessage[], id: string): readonly OutgoingMessage[] =>
  outgoing.filter(({ clientMsgId }) => clientMsgId !== id);

/** The state of the room while own messages wait for their entries. */
type Room = Pick<RoomModel, 'messages' | 'ownId' | 'position' | 'window'>;

/** A stored message stays until it is shown as an entry, so that it does not flicker. */
export function noteOutgoing(
  outgoing: readonly OutgoingMessage[],
  message: OutgoingMessage,
  room: Room,
): readonly OutgoingMessage[] {
  const at = outgoing.findIndex(({ clientMsgId }) => clientMsgId === message.clientMsgId);
  const was = outgoing[at]?.state.kind;
  // A retried message moves to the end, because it is sent last.
  const isMoved = at === -1 || (was === 'failed' && message.state.kind === 'sending');
  const next = isMoved
    ? [...without(outgoing, message.clientMsgId), message]
    : outgoing.map((one, i) => (i === at ? message : one));
  return dropArrived(next, [], room);
}

/** `entries`: newly arrived ones. None is shown before the window is known. */
export function dropArrived(
  outgoing: readonly OutgoingMessage[],
  entries: readonly Entry[],
  { messages, ownId, position, window }: Room,
): readonly OutgoingMessage[] {
  if (outgoing.length === 0 || window === null) return outgoing;
  const arrived = new Set(
    [...entries, ...messages.values()].filter(({ from }) => from.id === ownId).map(({ clientMsgId }) => clientMsgId),
  );
  const isKnown = ({ clientMsgId, state }: OutgoingMessage): boolean =>
    arrived.has(clientMsgId) || (state.kind === 'stored' && state.position.seq <= (position ?? 0));
  return outgoing.some(isKnown) ? outgoing.filter((one) => !isKnown(one)) : outgoing;
}

/** The log is read again, so stored messages come with it. */
export const dropStored = (outgoing: readonly OutgoingMessage[]): readonly OutgoingMessage[] =>
  outgoing.filter(({ state }) => state.kind !== 'stored');

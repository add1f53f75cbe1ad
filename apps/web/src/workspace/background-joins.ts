/**
 * Joins the rooms of the user's list in the background, so that new messages are counted at once.
 * Direct rooms need no join, because their messages arrive as inbox events. Open rooms join by
 * themselves.
 */
import type { ChatClient } from '@maru/client';
import type { MyRooms } from '@maru/client/conversation';
import type { MyRoom } from '@maru/protocol/events';

/**
 * Half of the rooms that a gateway allows for a connection. Other rooms get their counts when the
 * list is read.
 */
export const BACKGROUND_ROOMS_MAX = 100;
/** Maximum concurrent joins. The room on the screen must not wait behind them. */
export const JOINS_IN_FLIGHT_MAX = 4;

export interface BackgroundJoinsOptions {
  client: Pick<ChatClient, 'on' | 'join' | 'leave' | 'status'>;
  myRooms: Pick<MyRooms, 'get' | 'subscribe'>;
  /** Whether the room is open, and therefore already joined. */
  isOpen: (room: string) => boolean;
}

export interface BackgroundJoins {
  /** Whether the room stays joined when it is no longer shown. */
  holds(room: string): boolean;
  close(): void;
}

const isCounted = ({ with: other, notify }: MyRoom): boolean => other === undefined && notify !== 'none';

export function createBackgroundJoins({ client, myRooms, isOpen }: BackgroundJoinsOptions): BackgroundJoins {
  const held = new Set<string>();
  const waiting: string[] = [];
  const inFlight = new Set<string>();
  /** Rooms that refused the user. They are retried on the next connection. */
  const refused = new Set<string>();

  const pump = () => {
    while (inFlight.size < JOINS_IN_FLIGHT_MAX) {
      const room = waiting.shift();
      if (room === undefined) return;
      if (!held.has(room) || isOpen(room) || client.status(room) !== null) continue;
      inFlight.add(room);
      client.join(room, { limit: 1 });
    }
  };

  const drop = (room: string) => {
    held.delete(room);
    inFlight.delete(room);
    if (!isOpen(room)) client.leave(room);
  };

  /** Rooms that are already joined stay joined, even if their place in the list changes. */
  const onList = () => {
    const { isReady, rooms } = myRooms.get();
    if (!isReady) return;
    const counted = rooms.filter((one) => isCounted(one) && !refused.has(one.room)).map(({ room }) => room);
    const wanted = new Set(counted);
    for (const room of [...held]) if (!wanted.has(room)) drop(room);
    for (const room of counted) {
      if (held.size >= BACKGROUND_ROOMS_MAX) break;
      if (held.has(room)) continue;
      held.add(room);
      waiting.push(room);
    }
    pump();
  };

  const unsubscribe = [
    myRooms.subscribe(onList),
    client.on('session', () => refused.clear()),
    client.on('room', ({ room, status }) => {
      if (status === 'joining' || !held.has(room)) return;
      inFlight.delete(room);
      if (status !== 'joined') {
        refused.add(room);
        held.delete(room);
      }
      pump();
    }),
  ];
  onList();
  return {
    holds: (room) => held.has(room),
    close() {
      for (const end of unsubscribe) end();
      held.clear();
      waiting.length = 0;
    },
  };
}

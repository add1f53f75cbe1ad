/** The state of a room that the client has joined or wants to join. */
import type { RoomStatus } from './events.ts';
import { newRoom } from './room-order.ts';
import type { RoomState } from './room-state.ts';

export interface WantedRoom {
  readonly id: string;
  /** Number of entries to request with the first join. */
  readonly limit: number;
  status: RoomStatus;
  machine: RoomState;
  failedTries: number;
  cancelTimer: () => void;
  /** The log reaches at least this far. */
  expected: { epoch: string; head: number };
  cancelCatchUp: () => void;
}

export const newWantedRoom = (id: string, limit: number): WantedRoom => ({
  id,
  limit,
  status: { status: 'joining' },
  machine: newRoom(),
  failedTries: 0,
  cancelTimer: () => {},
  expected: { epoch: '', head: 0 },
  cancelCatchUp: () => {},
});

/**
 * Checks a room after the fact, from the logs of its members. A simplified form of `RoomChecker`.
 */
import type { Entry } from '@maru/protocol/events';
import { RoomChecker } from './room-checker.ts';

export interface Sent {
  user: string;
  /** Sends of one connection are listed in sending order. */
  connection: string;
  clientMsgId: string;
  text: string;
  /**
   * The acknowledged `seq`. `refused` if the last answer was a refusal, `unknown` if there was
   * none.
   */
  outcome: number | 'refused' | 'unknown';
  /** It was refused at first and sent again, so its order is not guaranteed. */
  retried?: boolean;
}

export interface ReceivedLog {
  member: string;
  /** The head at the join. Entries begin after it. */
  floor: number;
  entries: readonly Entry[];
}

/**
 * The log has one epoch. `complete`: every member must have the newest entry. @returns violations
 */
export function checkRoom(room: {
  history: readonly Entry[];
  members: readonly ReceivedLog[];
  sends: readonly Sent[];
  complete: boolean;
}): string[] {
  const { history, members, sends, complete } = room;
  const epoch = history[0]?.epoch ?? '';
  const checker = new RoomChecker(history[0]?.room ?? '');
  for (const { outcome, retried = false, ...attempt } of sends) {
    const result = checker.sent(attempt);
    if (typeof outcome === 'number') result.stored({ epoch, seq: outcome, duplicate: retried });
  }
  for (const { member, floor, entries } of members) {
    checker.joined(member, { epoch, head: floor });
    for (const entry of entries) checker.received(member, entry);
  }
  return checker.finish({ history, rollbacks: 0, complete });
}

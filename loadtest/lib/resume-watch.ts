/** What a resume promised of each room, and when the promise was kept. Pure. That nothing is lost or doubled, the journals judge. */
import type { SessionData } from '@maru/protocol/events';
import type { Journal } from './journal.ts';

export interface ResumeReport {
  resumed(tookMs: number): void;
  notRecovered(reason: string): void;
  requestFailed(event: string, code: string): void;
}

export interface ResumeWatch {
  /** Takes the answer to a resume of these rooms, before the first entry after it. */
  begin(answer: {
    journals: ReadonlyMap<string, Journal>;
    rooms: SessionData['rooms'];
    dialledAtMs: number;
    nowMs: number;
  }): void;
  /** The journal of `room` stands at `seq` now. */
  arrived(room: string, seq: number, nowMs: number): void;
  /** Whether a room was ever not given back: its member cannot be judged any more. */
  roomLost(): boolean;
}

export function createResumeWatch(report: ResumeReport): ResumeWatch {
  /** The heads that are waited for. */
  let awaited = new Map<string, number>();
  let dialledAtMs = 0;
  let roomLost = false;

  return {
    begin(answer) {
      dialledAtMs = answer.dialledAtMs;
      awaited = new Map();
      for (const [room, journal] of answer.journals) {
        const given = answer.rooms[room];
        if (given === undefined || 'error' in given) {
          roomLost = true;
          report.requestFailed('resume', given === undefined ? 'no_answer' : given.error.code);
        } else if (!given.recovered) {
          report.notRecovered(given.reason ?? 'no_reason');
          journal.skipTo(given.epoch, given.head);
        } else if (given.head > journal.position().seq) awaited.set(room, given.head);
      }
      if (awaited.size === 0) report.resumed(answer.nowMs - dialledAtMs);
    },
    arrived(room, seq, nowMs) {
      const head = awaited.get(room);
      if (head === undefined || seq < head) return;
      awaited.delete(room);
      if (awaited.size === 0) report.resumed(nowMs - dialledAtMs);
    },
    roomLost: () => roomLost,
  };
}

/**
 * Measures resumes: what the server promised for each room, and when the client received it. Pure.
 */
import type { SessionData } from '@maru/protocol/events';
import type { MemberLog } from '../checker/member-log.ts';

export interface ResumeReport {
  resumed(tookMs: number): void;
  notRecovered(reason: string): void;
  requestFailed(event: string, code: string): void;
}

export class ResumeWatch {
  readonly #report: ResumeReport;
  /** The heads that the client waits for, by room. */
  #awaited = new Map<string, number>();
  #startedAtMs = 0;
  #lostRoom = false;

  constructor(report: ResumeReport) {
    this.#report = report;
  }

  /** A resume failed for a room. Its member's log can no longer be checked. */
  get lostRoom(): boolean {
    return this.#lostRoom;
  }

  /** Call it with the answer to a resume of these rooms, before the first entry after it. */
  begin(answer: {
    logs: ReadonlyMap<string, MemberLog>;
    rooms: SessionData['rooms'];
    startedAtMs: number;
    nowMs: number;
  }): void {
    this.#startedAtMs = answer.startedAtMs;
    this.#awaited = new Map();
    for (const [room, log] of answer.logs) {
      const resumed = answer.rooms[room];
      if (resumed === undefined || 'error' in resumed) {
        this.#lostRoom = true;
        this.#report.requestFailed('resume', resumed === undefined ? 'no_answer' : resumed.error.code);
      } else if (!resumed.recovered) {
        this.#report.notRecovered(resumed.reason ?? 'no_reason');
        log.skipTo(resumed.epoch, resumed.head);
      } else if (resumed.head > log.position().seq) this.#awaited.set(room, resumed.head);
    }
    this.#reportIfDone(answer.nowMs);
  }

  /** The log of `room` has reached `seq`. */
  arrived(room: string, seq: number, nowMs: number): void {
    const head = this.#awaited.get(room);
    if (head === undefined || seq < head) return;
    this.#awaited.delete(room);
    this.#reportIfDone(nowMs);
  }

  #reportIfDone(nowMs: number): void {
    if (this.#awaited.size === 0) this.#report.resumed(nowMs - this.#startedAtMs);
  }
}

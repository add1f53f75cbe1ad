/**
 * Collects read receipts and writes them to the live members of each room, at most once a second
 * for each room. Receipts may be lost: only the newest one of each user is kept.
 */
import { LIMITS } from '@maru/protocol';
import type { Ticker } from '../cluster/ticker.ts';
import { eventPacket } from '../edge/packets.ts';

const PERIOD_MS = 500;
const PAUSE_MS = 1_000;

export interface ReceiptsOptions {
  /** Writes a packet to the live members of an open room, after the packets that wait for them. */
  write: (room: string, packet: string) => void;
  now: () => number;
}

export class Receipts {
  readonly #options: ReceiptsOptions;
  /** The newest `seq` that each user has read, by room. */
  readonly #waiting = new Map<string, Map<string, number>>();
  /** When each room was last written to, if its pause is not over. Oldest first. */
  readonly #written = new Map<string, number>();
  #leaveTicker: (() => void) | undefined;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  readonly note = (room: string, user: string, seq: number): void => {
    let readers = this.#waiting.get(room);
    if (readers === undefined) {
      readers = new Map();
      this.#waiting.set(room, readers);
    }
    // Announcements of one room come in order. More readers than a room with receipts has are
    // possible while it grows.
    if (readers.size < LIMITS.receiptMembersMax || readers.has(user)) readers.set(user, seq);
  };

  start(ticker: Ticker): void {
    this.#leaveTicker = ticker.join(PERIOD_MS, () => this.#writeDue());
  }

  stop(): void {
    this.#leaveTicker?.();
    this.#waiting.clear();
  }

  #writeDue(): void {
    const { write, now } = this.#options;
    const nowMs = now();
    for (const [room, atMs] of this.#written) {
      if (nowMs - atMs < PAUSE_MS) break;
      this.#written.delete(room);
    }
    for (const [room, readers] of this.#waiting) {
      if (this.#written.has(room)) continue;
      this.#waiting.delete(room);
      this.#written.set(room, nowMs);
      const receipt = { room, readers: Array.from(readers, ([user, seq]) => ({ user, seq })) };
      write(room, eventPacket('receipt', JSON.stringify(receipt)));
    }
  }
}

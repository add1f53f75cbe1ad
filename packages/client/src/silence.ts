/** Detects that nothing arrives any more. */
import type { Scheduler } from './scheduler.ts';

export interface SilenceOptions {
  scheduler: Scheduler;
  timeoutMs: number;
  /**
   * Maximum wait after the first packet, even if more arrive. A partial packet may be the beginning
   * of the answer.
   */
  timeoutMaxMs: number;
  /**
   * Bytes received so far, including parts of a frame. Null if the platform does not provide it.
   */
  receivedBytes: () => number | null;
  /** Called at most once. `arrives`: bytes still arrive, but the wait was too long. */
  onSilent: (how: { arrives: boolean }) => void;
}

/** How often the progress is checked within the timeout. */
const LOOKS_PER_TIMEOUT = 5;

export class Silence {
  readonly #options: SilenceOptions;
  #firstPacketAtMs: number | null = null;
  #timeoutMs: number;
  /** When something last arrived, or the process woke up. */
  #aliveAtMs: number;
  #bytes: number | null;
  #isOver = false;
  #cancelTimer = () => {};

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs;
    this.#aliveAtMs = options.scheduler.now();
    this.#bytes = options.receivedBytes();
    this.#wait();
  }

  /** A packet arrived. */
  heard(): void {
    this.#aliveAtMs = this.#options.scheduler.now();
    this.#firstPacketAtMs ??= this.#aliveAtMs;
  }

  shorten(timeoutMs: number): void {
    this.#timeoutMs = Math.min(this.#timeoutMs, timeoutMs);
    this.#wait();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelTimer();
  }

  #wait(): void {
    if (this.#isOver) return;
    const { scheduler } = this.#options;
    const delayMs = this.#timeoutMs / LOOKS_PER_TIMEOUT;
    const dueAtMs = scheduler.now() + delayMs;
    this.#cancelTimer();
    this.#cancelTimer = scheduler.after(delayMs, () => this.#look(scheduler.now() - dueAtMs));
  }

  #look(lateMs: number): void {
    const { scheduler, timeoutMaxMs, receivedBytes, onSilent } = this.#options;
    const now = scheduler.now();
    const bytes = receivedBytes();
    // A very late timer means that this process was stopped or the device slept. That time does not
    // count, because data that arrived in it has not been read yet.
    const wasStopped = lateMs >= this.#timeoutMs / 2;
    if (wasStopped && this.#firstPacketAtMs !== null) this.#firstPacketAtMs += lateMs;
    if (bytes !== this.#bytes || wasStopped) this.#aliveAtMs = now;
    this.#bytes = bytes;
    const isSilent = now - this.#aliveAtMs >= this.#timeoutMs;
    const isTooLate = now - (this.#firstPacketAtMs ?? now) >= timeoutMaxMs;
    if (!isSilent && !isTooLate) {
      this.#wait();
      return;
    }
    this.stop();
    onSilent({ arrives: !isSilent });
  }
}

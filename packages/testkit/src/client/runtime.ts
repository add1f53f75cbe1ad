/** The parts of its runtime that a client needs. k6, Node and unit tests each provide them. */

export interface SocketLike {
  send(frame: string): void;
  close(): void;
}

/**
 * `connect` MUST call its handlers later, never within the call. `opened` MUST come before any
 * frame; `closed` MUST come at most once, and last. Frames that arrive before `opened` may be lost:
 * k6 2.2 drops a frame that arrives together with the answer to the upgrade.
 */
export interface Runtime {
  connect(
    url: string,
    handlers: {
      opened(): void;
      frame(data: unknown, receivedAtMs: number): void;
      closed(detail: string): void;
    },
  ): SocketLike;
  setTimeout(callback: () => void, delayMs: number): number;
  clearTimeout(timer: number): void;
  /** Milliseconds of the wall clock. `receivedAtMs` uses the same clock. */
  now(): number;
}

export const pause = (runtime: Runtime, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    runtime.setTimeout(resolve, Math.max(0, delayMs));
  });

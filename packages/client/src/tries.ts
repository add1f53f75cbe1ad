/** Counts consecutive failed attempts to connect, and computes the delay before the next one. */
import { MaruError } from '@maru/protocol/errors';
import type { Notice } from '@maru/protocol/events';
import { backoffMs, CROWDED_BACKOFF, growingBackoffMs, RECONNECT_BACKOFF } from './backoff.ts';

export class Tries {
  failed = 0;
  refusedTokens = 0;
  /** The last connection or attempt ended because nothing arrived, so the path may be dead. */
  wasSilent = false;
  /** Why the server closes the connection of this attempt, if a notice gave a reason. */
  closing: MaruError | undefined;
  /** Consecutive attempts that were refused because the user has too many connections. */
  #crowded = 0;

  begin(): void {
    this.closing = undefined;
  }

  succeeded(): void {
    this.failed = 0;
    this.refusedTokens = 0;
    this.#crowded = 0;
  }

  noticed({ code, message = code }: Notice): void {
    if (code === 'too_many_connections') this.closing = new MaruError('rate_limited', message, { reason: code });
  }

  /** Counts a failed attempt. `attempt`: the number of failed attempts before it. */
  next(input: { error: MaruError | undefined; random: number; atLeastMs: number | undefined }) {
    const { error, ...rest } = input;
    const attempt = this.failed++;
    const delayMs =
      error?.reason === 'too_many_connections'
        ? growingBackoffMs({ ...rest, attempt: this.#crowded++, bounds: CROWDED_BACKOFF })
        : backoffMs({ ...rest, attempt, bounds: RECONNECT_BACKOFF });
    return { attempt, delayMs };
  }
}

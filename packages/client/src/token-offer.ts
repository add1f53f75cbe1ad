/** Offers a new token to a live connection until the server accepts or refuses it. */
import type { Request } from './ack.ts';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Scheduler } from './scheduler.ts';

/** `unsupported`: a gateway of an earlier release, which needs a new connection for a new token. */
export type OfferOutcome = 'taken' | 'refused' | 'unsupported';

export function offerToken(options: {
  token: string;
  request: Request;
  scheduler: Scheduler;
  /** False once the connection was replaced. Then `done` is not called. */
  isCurrent: () => boolean;
  done: (outcome: OfferOutcome) => void;
}): void {
  const { token, request, scheduler, isCurrent, done } = options;
  const offer = (attempt: number): void =>
    request('auth:renew', { token }, (result) => {
      if (!isCurrent()) return;
      if (result.ok) return done('taken');
      if (!mayRetry(result.error)) return done(result.error.code === 'invalid' ? 'unsupported' : 'refused');
      const delayMs = backoffMs({ attempt, random: scheduler.random(), bounds: REQUEST_BACKOFF });
      scheduler.after(delayMs, () => {
        if (isCurrent()) offer(attempt + 1);
      });
    });
  offer(0);
}

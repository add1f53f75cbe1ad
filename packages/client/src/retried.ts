/** Idempotent requests. They are sent again if an answer is lost. */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientEventName, ClientRequests } from '@maru/protocol/events';
import type { Request } from './ack.ts';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Scheduler } from './scheduler.ts';

/** After the last attempt, the caller gets the error. */
const TRIES_MAX = 4;

/** Rejects with MaruError. */
export type RetriedRequest = <N extends ClientEventName>(
  name: N,
  payload: ClientRequests[N][0],
) => Promise<ClientRequests[N][1]>;

export function retriedRequest({ request, scheduler }: { request: Request; scheduler: Scheduler }): RetriedRequest {
  return (name, payload) =>
    new Promise((resolve, reject) => {
      const attempt = (failedTries: number): void => {
        const again = (error: MaruError) => {
          if (!mayRetry(error) || failedTries + 1 >= TRIES_MAX) return reject(error);
          const random = scheduler.random();
          const atLeastMs = error.retryAfterMs;
          const delayMs = backoffMs({ attempt: failedTries, random, bounds: REQUEST_BACKOFF, atLeastMs });
          scheduler.after(delayMs, () => attempt(failedTries + 1));
        };
        request(name, payload, (result) => (result.ok ? resolve(result.data) : again(result.error)));
      };
      attempt(0);
    });
}

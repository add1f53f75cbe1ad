import type { Scheduler } from './scheduler.ts';

/**
 * Returns the token, or null if there is no way to get one. Then the client ends as
 * `unauthenticated`. `refresh` is true if the last token was refused or is about to expire. A
 * rejection is a temporary failure, and the client tries again.
 */
export type GetToken = (request: { refresh: boolean }) => string | null | Promise<string | null>;

export interface TokenQuestion {
  getToken: GetToken;
  refresh: boolean;
  timeoutMs: number;
  scheduler: Scheduler;
}

/** Rejects if `getToken` fails, or does not settle in time. */
export function askForToken({ getToken, refresh, timeoutMs, scheduler }: TokenQuestion): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(timeoutMs, () => reject(new Error('getToken did not answer in time')));
    Promise.resolve()
      .then(() => getToken({ refresh }))
      .finally(cancel)
      .then(resolve, reject);
  });
}

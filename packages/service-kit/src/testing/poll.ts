/** Waits for a condition. */

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls `ask` until it returns neither `undefined` nor `false`, and returns the result. After
 * `timeoutMs` it fails with `what`. The last error of `ask` is the cause.
 */
export async function poll<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 10_000, everyMs = 25 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: lastError });
    await sleep(everyMs);
  }
}

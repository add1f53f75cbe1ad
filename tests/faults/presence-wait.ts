/** Waits until presence shows exactly the connected users (I6). */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkPresence } from '@maru/testkit/checker/presence-checker';
import type { Environment } from './environment.ts';
import { now } from './member.ts';

const CHECK_MS = 250;

type Present = ReadonlyMap<string, readonly string[]>;

/** @returns how long it took, or undefined after `withinMs`; then it adds violations */
export async function waitForPresence(
  environment: Environment,
  present: () => Present | Promise<Present>,
  violations: string[],
  withinMs: number,
): Promise<number | undefined> {
  const sinceMs = now();
  let wrong: string[] = [];
  while (now() - sinceMs < withinMs) {
    wrong = [];
    for (const [room, connected] of await present()) {
      const shown = await environment.presence(room).catch((error: unknown) => String(error));
      const found = typeof shown === 'string' ? [`I6: ${shown}`] : checkPresence(new Set(connected), shown);
      wrong.push(...found.map((violation) => `${violation} (${room})`));
    }
    if (wrong.length === 0) return now() - sinceMs;
    await sleep(CHECK_MS);
  }
  violations.push(...wrong);
  return undefined;
}

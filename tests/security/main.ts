/**
 * `npm run test:security`: measures which harm users can do to each other. tools/security.mjs
 * starts it on the pinned Node.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runAttackers, runKinds } from './attackers.ts';
import { runOffice } from './office.ts';
import { HELP, Misuse, type Program, parseOptions, type SecurityOptions } from './options.ts';
import type { Outcome } from './outcome.ts';
import { runRace } from './race.ts';
import { renderReport } from './report.ts';
import { runRevoke } from './revoke.ts';

const SENDERS = 50;
const SEEDS = 1_000_000;

let ending = false;
const say = (line: string) => process.stdout.write(`${line}\n`);

const RUNS: Record<Program, (options: SecurityOptions) => Promise<Outcome[]>> = {
  race: async ({ rounds, seed }) => [await runRace({ rounds, seed, senders: SENDERS, say, isEnding: () => ending })],
  revoke: async ({ seed }) => [await runRevoke({ seed, say })],
  office: async ({ users, minutes, seed }) => [await runOffice({ users, minutes, seed, say })],
  async attackers({ guests, minutes, seed }) {
    const outcomes = [await runKinds({ seed, say })];
    for (const count of guests) if (!ending) outcomes.push(await runAttackers({ guests: count, minutes, seed, say }));
    return outcomes;
  },
};

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), () => Math.floor(Math.random() * SEEDS), process.cwd());
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  say(`seed ${options.seed}`);
  const startedAtMs = Date.now();
  const outcomes: Outcome[] = [];
  for (const program of options.only) {
    if (ending) break;
    say(`== ${program}`);
    outcomes.push(...(await RUNS[program](options)));
  }
  const text = renderReport({
    startedAt: new Date(startedAtMs).toISOString(),
    tookMs: Date.now() - startedAtMs,
    node: process.version,
    options,
    outcomes,
    endedEarly: ending,
  });
  if (options.outFile !== undefined) {
    mkdirSync(path.dirname(options.outFile), { recursive: true });
    writeFileSync(options.outFile, text);
  }
  say(`\n${text}`);
  return outcomes.every(({ violations }) => violations.length === 0) ? 0 : 1;
}

// The first Ctrl-C ends a race in order, with a report.
process.once('SIGINT', () => {
  ending = true;
  say('ending after this program; again to end at once');
  process.once('SIGINT', () => process.exit(130));
});
process.once('SIGTERM', () => process.exit(143));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof Misuse) say(`${error.message}\n\n${HELP}`);
    else console.error(error);
    process.exit(error instanceof Misuse ? 2 : 1);
  },
);

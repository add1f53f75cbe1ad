/** `npm run bench`: started by tools/bench.mjs on the pinned Node. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { capacityMarkdown } from './capacity/markdown.ts';
import type { RunResult } from './figures.ts';
import type { Load } from './loads.ts';
import { measureFlushes } from './measure/flush.ts';
import { filesMax } from './measure/system.ts';
import { type BenchOptions, HELP, Misuse, parseBenchOptions } from './options.ts';
import { renderHtml } from './report/html.ts';
import { renderMarkdown, replaceBlock } from './report/markdown.ts';
import { combineReports, createReport, provenance, type Report, remarksOf, summariesOf } from './report/report.ts';
import { alignColumns, rowsOf } from './report/table.ts';
import { type RoundUnderWay, startRound } from './turns.ts';
import type { Variant } from './variants/variants.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
let ending = false;
let current: RoundUnderWay | undefined;

/** Descriptors that a process needs besides its connections; an edge needs two a connection. */
const FILES_BESIDES = 600;
const ENDED = 130;

async function main(): Promise<number> {
  const options = parseBenchOptions(process.argv.slice(2), process.cwd());
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  const { from, outDir } = options;
  const report = from.length === 0 ? await measure(options) : readReports(from);
  if (report === undefined) return ENDED;
  show(report);
  if (from.length === 0) say(`\n${path.join(outDir, 'bench.html')} and bench.json beside it hold all figures.`);
  if (options.markdown !== undefined) writeBlock(options.markdown, renderMarkdown(report));
  if (options.capacity !== undefined) writeBlock(options.capacity, capacityMarkdown(report));
  if (ending) return ENDED;
  return report.runs.some(({ voidReasons }) => voidReasons.length > 0) ? 1 : 0;
}

function readReports(files: string[]): Report {
  const report = combineReports(files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report));
  if (report === undefined)
    throw new Misuse('These reports are of different machines, programs or settings, or hold the same run twice.');
  return report;
}

function keep(report: Report, directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path.join(directory, 'bench.html'), renderHtml(report));
}

/**
 * Rounds of all variants, each beginning with another one, so that nobody is always first or last. What is done is kept after each round: whatever ends
 * an hour's work does not lose it. Undefined where nothing was done.
 */
async function measure(options: BenchOptions): Promise<Report | undefined> {
  const { loads, variants, rounds, pace } = options;
  const perFile = ({ clients, edge }: Load) => clients * (edge ? 2 : 1) + FILES_BESIDES;
  const needed = Math.max(...loads.map(perFile));
  if (filesMax() < needed)
    throw new Misuse(
      `A process may open ${filesMax()} files here; run "ulimit -n ${needed}" first, or leave loads out.`,
    );

  const all = loads.flatMap((load) => {
    const takers = variants.filter(({ name }) => !load.oursOnly || name.startsWith('maru'));
    if (takers.length === 0) return [];
    return Array.from({ length: rounds }, (_, round) => {
      const first = round % takers.length;
      return { load, round, variants: [...takers.slice(first), ...takers.slice(0, first)] };
    });
  });
  const runsIn = (some: Array<{ variants: Variant[] }>) => some.reduce((sum, { variants }) => sum + variants.length, 0);
  const flushes = await measureFlushes();
  const runs: RunResult[] = [];
  const programs: Record<string, string> = {};
  const startedMs = performance.now();
  let report: Report | undefined;
  for (const [index, next] of all.entries()) {
    const perRunS = runs.length === 0 ? 0 : (performance.now() - startedMs) / runs.length / 1_000;
    const leftS = perRunS * runsIn(all.slice(index));
    const left =
      leftS === 0 ? '' : `, some ${leftS < 90 ? `${Math.ceil(leftS)} s` : `${Math.ceil(leftS / 60)} min`} left`;
    say(`${index + 1} of ${all.length}: ${next.load.name}, round ${next.round + 1}${left}`);
    current = startRound({ ...next, pace, onStep: (step) => say(`    ${step}`) });
    const results = await current.results;
    Object.assign(programs, current.programs);
    // What ran when it was interrupted is no run.
    if (ending) break;
    runs.push(...results);
    report = createReport({ options, runs, programs, flushes, nowMs: Date.now() });
    keep(report, options.outDir);
    for (const { variant, voidReasons, warnings } of results) {
      for (const reason of voidReasons) say(`    ${variant} does not count: ${reason}`);
      for (const warning of warnings) say(`    ${variant}: ${warning}`);
    }
  }
  return report;
}

function show(report: Report): void {
  for (const { name, title } of report.loads) {
    const summaries = summariesOf(report, name);
    if (summaries.length === 0) continue;
    say(`\n${name}: ${title}`);
    say(alignColumns([['', ...summaries.map(({ variant }) => variant)], ...rowsOf(summaries, { all: false })]));
    for (const remark of remarksOf(report, name)) say(`  ${remark}`);
  }
  say(`\n${provenance(report)}`);
}

function writeBlock(file: string, block: string): void {
  writeFileSync(file, replaceBlock(existsSync(file) ? readFileSync(file, 'utf8') : '', block));
  say(`${file}: the block between its markers was written`);
}

/** One Ctrl-C may arrive more than once: from the terminal and through npm. */
const SAME_SIGNAL_MS = 1_000;
let endingSinceMs = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (ending && performance.now() - endingSinceMs > SAME_SIGNAL_MS) process.exit(ENDED);
    if (ending) return;
    ending = true;
    endingSinceMs = performance.now();
    say('ending; again to end at once');
    // The run fails for it, and clears up.
    void current?.abort();
  });

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof Misuse) say(`${error.message}\n\n${HELP}`);
    else console.error(error);
    process.exit(error instanceof Misuse ? 2 : 1);
  },
);

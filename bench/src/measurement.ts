/** Measures all rounds of one call of the bench. */
import type { RunResult } from './figures.ts';
import type { Load } from './loads.ts';
import { measureFlushes } from './measure/flush.ts';
import { openFilesMax } from './measure/system.ts';
import { type BenchOptions, UsageError } from './options.ts';
import { createReport, type Report } from './report/report.ts';
import { type RunningRound, startRound } from './round.ts';
import { type PlannedRound, planRounds } from './schedule.ts';
import type { Variant } from './variants/variants.ts';

export interface Measurement {
  /** The report of all finished rounds; undefined if no round finished. */
  report: Promise<Report | undefined>;
  /** Ends all processes. `report` then resolves with the finished rounds. */
  abort(): void;
}

/** Files that a process opens in addition to its connections. */
const OTHER_FILES = 600;

/**
 * Starts the measurement. Calls `onReport` after each round, so an interruption loses only the
 * current round.
 * @throws UsageError if a process may not open enough files
 */
export function startMeasurement(
  options: BenchOptions,
  handlers: { onReport: (report: Report) => void; print: (line: string) => void },
): Measurement {
  const { onReport, print } = handlers;
  checkOpenFiles(options.loads);
  let aborted = false;
  let current: RunningRound | undefined;

  const measure = async (): Promise<Report | undefined> => {
    const planned = planRounds(options.loads, options.variants, options.rounds);
    const flushes = await measureFlushes();
    const runs: RunResult[] = [];
    const programs: Record<string, string> = {};
    const startMs = performance.now();
    let report: Report | undefined;
    for (const [index, next] of planned.entries()) {
      if (aborted) break;
      const left = timeLeft(performance.now() - startMs, runs.length, planned.slice(index));
      print(`${index + 1} of ${planned.length}: ${next.load.name}, round ${next.round + 1}${left}`);
      current = startRound({ ...next, pace: options.pace, onStep: (step) => print(`    ${step}`) });
      const results = await current.results;
      Object.assign(programs, current.programs);
      // Do not report an interrupted round.
      if (aborted) break;
      runs.push(...results);
      report = createReport({ options, runs, programs, flushes, nowMs: Date.now() });
      onReport(report);
      for (const result of results) printRemarks(result, print);
    }
    return report;
  };

  return {
    report: measure(),
    abort() {
      aborted = true;
      void current?.abort();
    },
  };
}

function checkOpenFiles(loads: readonly Load[]): void {
  // nginx opens two files for each client.
  const filesOf = ({ clients, edge }: Load) => clients * (edge ? 2 : 1) + OTHER_FILES;
  const needed = Math.max(...loads.map(filesOf));
  if (openFilesMax() < needed)
    throw new UsageError(
      `A process may open only ${openFilesMax()} files. Run "ulimit -n ${needed}" first, or select fewer loads.`,
    );
}

/** The estimated remaining time as text. Empty before the first run has finished. */
function timeLeft(elapsedMs: number, finishedRuns: number, remaining: PlannedRound<Variant>[]): string {
  if (finishedRuns === 0) return '';
  const remainingRuns = remaining.reduce((sum, { variants }) => sum + variants.length, 0);
  const leftS = ((elapsedMs / finishedRuns) * remainingRuns) / 1_000;
  return `, about ${leftS < 90 ? `${Math.ceil(leftS)} s` : `${Math.ceil(leftS / 60)} min`} left`;
}

function printRemarks({ variant, voidReasons, warnings }: RunResult, print: (line: string) => void): void {
  for (const reason of voidReasons) print(`    ${variant} does not count: ${reason}`);
  for (const warning of warnings) print(`    ${variant}: ${warning}`);
}

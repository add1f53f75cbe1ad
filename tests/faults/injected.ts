/** The result of one injected fault, and its line in the output. Pure. */
import type { Returned, Spread } from './return-checker.ts';
import type { WatchResult } from './watch.ts';

export interface Injected extends WatchResult {
  name: string;
  about: string;
  atMs: number;
  holdMs: number;
  /** From the end of the fault until all members were complete; undefined if they never were. */
  wholeMs: number | undefined;
  /** The longest event-loop delay of the process with the clients. */
  ownLagMs: number;
  /** Explanation if it was slow. */
  note?: string;
  /** Time until presence was correct, if the fault checks it. */
  presenceMs?: number;
  /** How clients that lost their connection reconnected. */
  returned?: Returned;
  /** Reads of the log by their resumes. */
  resumeReads?: number;
  /** The use of the machine and the event-loop delays, which help to interpret the times. */
  machine?: string;
}

const LAG_TOLD_MS = 250;

const seconds = (ms: number) => `${(ms / 1_000).toFixed(ms < 9_950 ? 1 : 0)} s`;

const spread = ({ median, p99, slowest }: Spread) =>
  `${seconds(median)} (p99 ${seconds(p99)}, slowest ${seconds(slowest)})`;

/** `elapsedMs` since the trial began. */
export function describeInjected(one: Injected, elapsedMs: number): string {
  const parts = [
    one.holdMs > 0 ? `for ${seconds(one.holdMs)}` : undefined,
    one.firstErrorMs === undefined ? undefined : `first error ${Math.round(one.firstErrorMs)} ms`,
    one.slowestAnswerMs === undefined ? undefined : `slowest answer ${Math.round(one.slowestAnswerMs)} ms`,
    one.degradedMs === undefined ? undefined : `degraded ${Math.round(one.degradedMs)} ms`,
    one.wholeMs === undefined ? 'NOT WHOLE' : `whole ${Math.round(one.wholeMs)} ms`,
    one.presenceMs === undefined ? undefined : `presence correct ${Math.round(one.presenceMs)} ms later`,
    one.returned === undefined
      ? undefined
      : `${one.returned.members} reconnected after ${spread(one.returned.tookMs)}; without their own back-off ${spread(one.returned.beyondPausesMs)}; ` +
        `${one.returned.triedAgain} needed more than one attempt`,
    one.resumeReads ? `${one.resumeReads} reads for resumes` : undefined,
    one.ownLagMs > LAG_TOLD_MS ? `the clients' event loop was delayed by ${Math.round(one.ownLagMs)} ms` : undefined,
    one.note,
  ];
  const line = `[${String(Math.round(elapsedMs / 1_000)).padStart(5)} s] ${one.name.padEnd(24)} ${parts.filter((part) => part !== undefined).join(', ')}`;
  return [
    line,
    ...(one.machine === undefined ? [] : [`          ${one.machine}`]),
    ...one.violations.map((violation) => `          VIOLATION ${violation}`),
  ].join('\n');
}

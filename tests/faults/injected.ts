/** What came of one injected fault, and the line in which it is told while a trial runs. Pure. */
import type { Returned, Spread } from './return-checker.ts';
import type { WatchResult } from './watch.ts';

export interface Injected extends WatchResult {
  name: string;
  about: string;
  atMs: number;
  holdMs: number;
  /** From the moment it was lifted until everybody was whole; undefined where they never were. */
  wholeMs: number | undefined;
  /** How long the process with all the clients in it was held up at most. */
  ownLagMs: number;
  /** Why it took its time, where it did. */
  note?: string;
  /** From then until presence was right; only where the fault asks for it. */
  presenceMs?: number;
  /** How clients came back that lost their connection. */
  returned?: Returned;
  /** Reads of the log for their resumes. */
  resumeReads?: number;
  /** Who used the machine meanwhile, and how long event loops were held up at most, for those who judge the times. */
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
    one.presenceMs === undefined ? undefined : `presence right ${Math.round(one.presenceMs)} ms later`,
    one.returned === undefined
      ? undefined
      : `${one.returned.members} came back after ${spread(one.returned.tookMs)}; beyond their own pauses ${spread(one.returned.beyondPausesMs)}; ` +
        `${one.returned.triedAgain} tried more than once`,
    one.resumeReads ? `${one.resumeReads} reads for resumes` : undefined,
    one.ownLagMs > LAG_TOLD_MS ? `the clients were held up for ${Math.round(one.ownLagMs)} ms` : undefined,
    one.note,
  ];
  const line = `[${String(Math.round(elapsedMs / 1_000)).padStart(5)} s] ${one.name.padEnd(24)} ${parts.filter((part) => part !== undefined).join(', ')}`;
  return [
    line,
    ...(one.machine === undefined ? [] : [`          ${one.machine}`]),
    ...one.violations.map((violation) => `          VIOLATION ${violation}`),
  ].join('\n');
}

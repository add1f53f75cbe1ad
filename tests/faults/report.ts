/** The report of a run, for people and for programs. Pure. */
import type { Injected } from './injected.ts';
import type { FaultOptions } from './options.ts';
import { sumActs, type TrialResult } from './trial.ts';

export interface Report {
  startedAt: string;
  tookMs: number;
  node: string;
  options: FaultOptions;
  endedEarly: boolean;
  messages: number;
  stored: number;
  acts: TrialResult['acts'];
  gapsDeclared: number;
  /** Acknowledged messages that a rollback removed. */
  lost: number;
  /** How long presence took to be correct at the end of each part. */
  presenceMs: Array<number | undefined>;
  faults: FaultRow[];
  violations: string[];
}

export interface FaultRow {
  name: string;
  about: string;
  times: number;
  longestHoldMs: number;
  /** The worst value of all injections; undefined if it does not apply. */
  firstErrorMs?: number;
  slowestAnswerMs?: number;
  degradedMs?: number;
  wholeMs?: number;
  wholeMedianMs?: number;
  presenceMs?: number;
  /** The slowest client, from the lost connection to the next session, without its own back-off. */
  backMs?: number;
  resumeReads?: number;
  violations: number;
}

export function createReport(run: {
  startedAtMs: number;
  endedAtMs: number;
  options: FaultOptions;
  endedEarly: boolean;
  trials: readonly TrialResult[];
}): Report {
  const injected = run.trials.flatMap((trial) => trial.injected);
  const names = [...new Set(injected.map(({ name }) => name))];
  const sum = (of: (trial: TrialResult) => number) => run.trials.reduce((total, trial) => total + of(trial), 0);
  return {
    startedAt: new Date(run.startedAtMs).toISOString(),
    tookMs: run.endedAtMs - run.startedAtMs,
    node: process.version,
    options: run.options,
    endedEarly: run.endedEarly,
    messages: sum(({ messages }) => messages),
    stored: sum(({ stored }) => stored),
    acts: sumActs(run.trials.map(({ acts }) => acts)),
    gapsDeclared: sum(({ gapsDeclared }) => gapsDeclared),
    lost: sum(({ lost }) => lost),
    presenceMs: run.trials.map(({ presenceMs }) => presenceMs),
    faults: names.map((name) => rowOf(injected.filter((one) => one.name === name))),
    violations: [
      ...injected.flatMap((one) =>
        one.violations.map((violation) => `${Math.round(one.atMs / 1_000)} s, ${one.name}: ${violation}`),
      ),
      ...run.trials.flatMap(({ violations }) => violations),
    ],
  };
}

function rowOf(injected: readonly Injected[]): FaultRow {
  const [first] = injected;
  if (first === undefined) throw new Error('a row needs a fault');
  const row: FaultRow = {
    name: first.name,
    about: first.about,
    times: injected.length,
    longestHoldMs: Math.max(...injected.map(({ holdMs }) => holdMs)),
    violations: injected.reduce((total, { violations }) => total + violations.length, 0),
  };
  for (const measure of [
    'firstErrorMs',
    'slowestAnswerMs',
    'degradedMs',
    'wholeMs',
    'presenceMs',
    'resumeReads',
  ] as const) {
    const values = injected.map((one) => one[measure]).filter((value) => value !== undefined);
    if (values.length > 0) row[measure] = Math.round(Math.max(...values));
  }
  const back = injected.flatMap(({ returned }) => (returned === undefined ? [] : [returned.beyondPausesMs.slowest]));
  if (back.length > 0) row.backMs = Math.round(Math.max(...back));
  const whole = injected.map(({ wholeMs }) => wholeMs).filter((value) => value !== undefined);
  const median = whole.sort((a, b) => a - b)[Math.floor(whole.length / 2)];
  if (median !== undefined) row.wholeMedianMs = Math.round(median);
  return row;
}

const ms = (value: number | undefined) => (value === undefined ? '' : `${value} ms`);

export function renderReport(report: Report): string {
  const { options, violations } = report;
  const settings = Object.entries(options.settings)
    .map(([name, value]) => `, ${name}=${value}`)
    .join('');
  const minutes = (report.tookMs / 60_000).toFixed(1);
  const header = [
    'fault',
    'times',
    'longest',
    'first error',
    'slowest answer',
    'degraded',
    'whole (median)',
    'whole (longest)',
    'presence',
    'back',
    'reads',
    'violations',
  ];
  const rows = report.faults.map((row) => [
    row.name,
    String(row.times),
    row.longestHoldMs === 0 ? '' : `${(row.longestHoldMs / 1_000).toFixed(1)} s`,
    ms(row.firstErrorMs),
    ms(row.slowestAnswerMs),
    ms(row.degradedMs),
    ms(row.wholeMedianMs),
    ms(row.wholeMs),
    ms(row.presenceMs),
    ms(row.backMs),
    String(row.resumeReads ?? ''),
    String(row.violations),
  ]);
  const presence = report.presenceMs.map((value) => (value === undefined ? 'never' : ms(Math.round(value)))).join(', ');
  return [
    '# Faults',
    '',
    `${report.startedAt}, ${minutes} min${report.endedEarly ? ' (ended early)' : ''}, seed ${options.seed}: ${options.clients} clients, ` +
      `${options.rate} acts a second, ${options.rooms} rooms, ${options.gateways} gateways${settings}, Node ${report.node}.`,
    '',
    `${report.messages} messages and acts composed, ${report.stored} stored and acknowledged for the first time, ${report.gapsDeclared} gaps declared, ` +
      `${report.lost} acknowledged ones removed by rollbacks. ` +
      `Presence correct after: ${presence}.`,
    '',
    `By kind: ${Object.entries(report.acts)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', ')}.`,
    '',
    `**${violations.length === 0 ? 'No violations.' : `${violations.length} violations.`}**`,
    '',
    ...table([header, ...rows]),
    '',
    'First error and degraded count from the beginning of the fault. Whole counts from its end: every member has a message that was sent after it.',
    'Presence counts from whole until it shows exactly the connected users. Back: the slowest client, from the lost connection to its next session,',
    'without its own back-off. Reads: reads of the log by resumes. All values are the worst of all injections.',
    ...(violations.length === 0 ? [] : ['', '## Violations', '', ...violations.map((violation) => `- ${violation}`)]),
    '',
  ].join('\n');
}

/** A Markdown table with aligned columns. */
function table(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [header = [], ...body] = rows;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)];
}

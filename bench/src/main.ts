/** `npm run bench`. tools/bench.mjs starts this file with the pinned Node.js. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { capacityMarkdown } from './capacity/markdown.ts';
import { type Measurement, startMeasurement } from './measurement.ts';
import { type BenchOptions, HELP, parseBenchOptions, UsageError } from './options.ts';
import { renderHtml } from './report/html.ts';
import { renderMarkdown, replaceBlock } from './report/markdown.ts';
import { recordFileOf, renderRecord } from './report/record.ts';
import { combineReports, describeSource, type Report, remarksOf, summariesOf } from './report/report.ts';
import { alignColumns, rowsOf } from './report/table.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');
const EXIT = { ok: 0, voidRuns: 1, failed: 1, usage: 2, interrupted: 130 } as const;
const print = (line: string) => process.stdout.write(`${line}\n`);

let measurement: Measurement | undefined;
let interruptedAtMs: number | undefined;

async function main(args: string[]): Promise<number> {
  const options = parseBenchOptions(args, process.cwd());
  if (options === 'help') {
    print(HELP);
    return EXIT.ok;
  }
  const report = options.from.length > 0 ? readReports(options.from) : await measure(options);
  if (report === undefined) return EXIT.interrupted;
  printReport(report);
  if (options.from.length === 0) print(`\nAll figures: bench.html and bench.json in ${options.outDir}`);
  if (options.markdown !== undefined) writeBlock(options.markdown, renderMarkdown(report));
  if (options.capacity !== undefined) writeBlock(options.capacity, capacityMarkdown(report));
  if (options.record) writeRecord(report, args);
  if (interruptedAtMs !== undefined) return EXIT.interrupted;
  return report.runs.some(({ voidReasons }) => voidReasons.length > 0) ? EXIT.voidRuns : EXIT.ok;
}

function readReports(files: string[]): Report {
  const report = combineReports(files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report));
  if (report === undefined)
    throw new UsageError(
      'These reports cannot be combined: machine, versions or settings differ, or two contain the same run.',
    );
  return report;
}

function measure(options: BenchOptions): Promise<Report | undefined> {
  measurement = startMeasurement(options, { print, onReport: (report) => save(report, options.outDir) });
  return measurement.report;
}

function save(report: Report, directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path.join(directory, 'bench.html'), renderHtml(report));
}

function printReport(report: Report): void {
  for (const { name, title } of report.loads) {
    const summaries = summariesOf(report, name);
    if (summaries.length === 0) continue;
    print(`\n${name}: ${title}`);
    print(alignColumns([['', ...summaries.map(({ variant }) => variant)], ...rowsOf(summaries, { all: false })]));
    for (const remark of remarksOf(report, name)) print(`  ${remark}`);
  }
  print(`\n${describeSource(report)}`);
}

function writeBlock(file: string, block: string): void {
  writeFileSync(file, replaceBlock(existsSync(file) ? readFileSync(file, 'utf8') : '', block));
  print(`Wrote the block between the markers of ${file}`);
}

function writeRecord(report: Report, args: string[]): void {
  const file = path.join(REPOSITORY, recordFileOf(report));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, renderRecord(report, args));
  print(`Wrote ${file}`);
}

/** One Ctrl-C can arrive twice, from the terminal and through npm. */
const SAME_SIGNAL_MS = 1_000;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    const nowMs = performance.now();
    if (interruptedAtMs !== undefined) {
      if (nowMs - interruptedAtMs > SAME_SIGNAL_MS) process.exit(EXIT.interrupted);
      return;
    }
    interruptedAtMs = nowMs;
    print('Stopping. Press Ctrl-C again to exit at once.');
    measurement?.abort();
  });

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError) print(`${error.message}\n\n${HELP}`);
    else console.error(error);
    process.exit(error instanceof UsageError ? EXIT.usage : EXIT.failed);
  },
);

/** A report as a Markdown file under docs/measurements, to keep it in version control. Pure. */
import { mediansOf, renderResults } from './markdown.ts';
import type { Report } from './report.ts';

/** The file's path from the root of the repository. A second record of the same day replaces it. */
export const recordFileOf = ({ measuredAt }: Report): string => `docs/measurements/${measuredAt.slice(0, 10)}-bench.md`;

/** @param args the arguments of `npm run bench` that produced the report */
export function renderRecord(report: Report, args: readonly string[]): string {
  const { measuredAt, machine, versions } = report;
  const command = ['npm run bench --', ...args.map(quoted)].join(' ');
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `# Benchmark of ${measuredAt.slice(0, 10)}`,
    '',
    `- Command: \`${command}\``,
    `- Machine: ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}`,
    `- Versions: ${programs.join(', ')}`,
    `- ${mediansOf(report)}`,
    renderResults(report),
    '',
  ].join('\n');
}

const quoted = (arg: string): string => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`);

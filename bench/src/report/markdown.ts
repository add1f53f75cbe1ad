/** The report as Markdown tables, and how to put them into a document. Pure. */
import { describeSource, type Report, remarksOf, summariesOf } from './report.ts';
import { rowsOf } from './table.ts';

/** The results with machine, versions and date in one paragraph. */
export function renderMarkdown(report: Report): string {
  return `${mediansOf(report)}. ${describeSource(report)}.\n\n${renderResults(report)}`;
}

/** What the figures are, for example `Medians of 3 rounds`. */
export function mediansOf({ rounds, quick }: Report): string {
  return `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}${quick ? ', with --quick: not for comparison' : ''}`;
}

/** The settings and a table for each load. */
export function renderResults(report: Report): string {
  const sections = report.loads.flatMap(({ name, title }) => {
    const summaries = summariesOf(report, name);
    if (summaries.length === 0) return [];
    const remarks = remarksOf(report, name).map((remark) => `- ${remark}`);
    return [
      `### ${name}: ${title}`,
      '',
      markdownTable(['', ...summaries.map(({ variant }) => variant)], rowsOf(summaries, { all: true })),
      ...(remarks.length > 0 ? ['', ...remarks] : []),
      '',
    ];
  });
  return [...report.settings.map((setting) => `- ${setting}`), '', ...sections].join('\n').trim();
}

/** Aligns the first column left, the others right. */
export function markdownTable(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const BEGIN = '<!-- bench:begin (written by npm run bench; do not edit) -->';
const END = '<!-- bench:end -->';

/**
 * Replaces the text between the markers of a document. Appends the markers if it has none.
 * @throws if one marker is missing, or the end is before the beginning
 */
export function replaceBlock(document: string, block: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  const whole = `${BEGIN}\n${block}\n${END}`;
  if (from < 0 && to < 0) return `${document}${document === '' ? '' : '\n'}${whole}\n`;
  if (from < 0 || to < from) throw new Error(`the document must contain ${BEGIN} and after it ${END}`);
  return document.slice(0, from) + whole + document.slice(to + END.length);
}

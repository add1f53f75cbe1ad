/** The report as tables in Markdown, between two markers of a document. Pure. */
import { provenance, type Report, remarksOf, summariesOf } from './report.ts';
import { rowsOf } from './table.ts';

export function renderMarkdown(report: Report): string {
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
  return [
    `Medians of ${report.rounds}${report.quick ? ', by --quick: not for comparison' : ''}. ${provenance(report)}.`,
    '',
    ...report.settings.map((setting) => `- ${setting}`),
    '',
    ...sections,
  ]
    .join('\n')
    .trim();
}

/** The first column to the left, the others to the right. */
export function markdownTable(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const BEGIN = '<!-- bench:begin (written by npm run bench; do not edit) -->';
const END = '<!-- bench:end -->';

/**
 * Puts `block` between the markers of a document; a document without markers gets them at its end.
 * @throws where only one of the markers is there, or their order is wrong
 */
export function replaceBlock(document: string, block: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  const whole = `${BEGIN}\n${block}\n${END}`;
  if (from < 0 && to < 0) return `${document}${document === '' ? '' : '\n'}${whole}\n`;
  if (from < 0 || to < from) throw new Error(`the document has no ${BEGIN} before its ${END}`);
  return document.slice(0, from) + whole + document.slice(to + END.length);
}

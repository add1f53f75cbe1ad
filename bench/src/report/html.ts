/** The report as a self-contained HTML page with tables and bar charts. Pure. */
import { FIGURES, type Figure, type Summary } from '../figures.ts';
import { describeSource, type Report, remarksOf, summariesOf } from './report.ts';
import { format } from './table.ts';

const BAR_PX = 260;
const ROW_PX = 20;
const COLOURS = ['#2563eb', '#d97706', '#059669', '#db2777', '#64748b', '#7c3aed', '#0891b2', '#65a30d'];

export function renderHtml(report: Report): string {
  const notes = [
    ...report.settings,
    `medians of ${report.rounds} runs; the variants take turns, and each round begins with another variant`,
    'a run with one missing, duplicated or unexpected delivery does not count',
    ...(report.quick ? ['measured with --quick: checks the setup, not for comparison'] : []),
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Maru bench, ${report.measuredAt.slice(0, 10)}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem }
table { border-collapse: collapse }
th, td { padding: .15rem .8rem; text-align: right; border-bottom: 1px solid #8884; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left }
.charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1rem 0 }
figure { margin: 0 } figcaption { font-size: 13px }
svg text { font-size: 12px; fill: currentColor }
.remarks { font-size: 13px } .void { color: #dc2626 }
</style>
<h1>Maru bench</h1>
<p>${escapeHtml(describeSource(report))}</p>
<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>
<p>${report.variants.map(({ name, title, stores }, index) => `${swatch(index)} <b>${escapeHtml(name)}</b>: ${escapeHtml(title)}${stores ? '' : ' (no storage)'}`).join('<br>')}</p>
${report.loads.map(({ name, title }) => section(report, name, title)).join('\n')}
</html>
`;
}

function section(report: Report, load: string, title: string): string {
  const summaries = summariesOf(report, load);
  if (summaries.length === 0) return '';
  const figures = (FIGURES as readonly Figure[]).filter(({ key }) =>
    summaries.some((summary) => figureOf(summary, key) !== undefined),
  );
  const head = summaries.map(({ variant, runs, voidRuns }) => {
    const voidNote = voidRuns > 0 ? ` <span class="void">(${voidRuns} of ${runs} void)</span>` : '';
    return `<th>${escapeHtml(variant)}${voidNote}</th>`;
  });
  const rows = figures.map((figure) => {
    const cells = summaries.map((summary) => `<td>${format(figureOf(summary, figure.key), figure)}</td>`);
    return `<tr><td>${escapeHtml(nameOf(figure))}</td>${cells.join('')}</tr>`;
  });
  const remarks = remarksOf(report, load);
  return `<h2>${escapeHtml(load)}: ${escapeHtml(title)}</h2>
<div class="charts">${figures
    .filter(({ main }) => main === true)
    .map((figure) => chart(report, figure, summaries))
    .join('')}</div>
<table><tr><th></th>${head.join('')}</tr>${rows.join('')}</table>
${remarks.length > 0 ? `<ul class="remarks">${remarks.map((remark) => `<li>${escapeHtml(remark)}</li>`).join('')}</ul>` : ''}`;
}

/** One bar for each variant. The bars begin at 0. */
function chart(report: Report, figure: Figure, summaries: readonly Summary[]): string {
  const longest = Math.max(...summaries.map((summary) => figureOf(summary, figure.key) ?? 0));
  const bars = summaries.map((summary, row) => {
    const value = figureOf(summary, figure.key);
    const width = longest > 0 ? ((value ?? 0) / longest) * BAR_PX : 0;
    const colour = colourOf(report.variants.findIndex(({ name }) => name === summary.variant));
    const top = row * ROW_PX;
    return (
      `<rect y="${top + 3}" width="${width.toFixed(1)}" height="${ROW_PX - 6}" fill="${colour}"/>` +
      `<text x="${(width + 6).toFixed(1)}" y="${top + 14}">${format(value, figure)} ${escapeHtml(summary.variant)}</text>`
    );
  });
  return `<figure><figcaption>${escapeHtml(nameOf(figure))}</figcaption><svg width="${BAR_PX + 180}" height="${summaries.length * ROW_PX}" role="img" aria-label="${escapeHtml(nameOf(figure))}">${bars.join('')}</svg></figure>`;
}

const nameOf = ({ title, unit }: Figure): string => (unit === '' ? title : `${title}, ${unit}`);
const figureOf = ({ figures }: Summary, key: string): number | undefined => (figures as Record<string, number>)[key];
const colourOf = (index: number): string => COLOURS[index % COLOURS.length] as string;
const swatch = (index: number): string =>
  `<svg width="12" height="12"><rect width="12" height="12" fill="${colourOf(index)}"/></svg>`;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char] as string);

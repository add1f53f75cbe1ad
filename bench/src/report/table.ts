/** Formats figures as tables of text. Pure. */
import { FIGURES, type Figure, type Summary } from '../figures.ts';

export const format = (value: number | undefined, { digits }: Pick<Figure, 'digits'>): string =>
  value === undefined ? '–' : value.toFixed(digits);

/** A row for each figure of a load: its name, then its value for each variant. */
export function rowsOf(summaries: readonly Summary[], options: { all: boolean }): string[][] {
  return (FIGURES as readonly Figure[])
    .filter(({ key, main }) => (options.all || main === true) && summaries.some(({ figures }) => has(figures, key)))
    .map((figure) => [
      figure.unit === '' ? figure.title : `${figure.title}, ${figure.unit}`,
      ...summaries.map(({ figures }) => format((figures as Record<string, number>)[figure.key], figure)),
    ]);
}

const has = (figures: object, key: string): boolean => Object.hasOwn(figures, key);

/** Pads columns to equal width. Aligns the first one left, the others right. */
export function alignColumns(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('   '),
    )
    .join('\n');
}

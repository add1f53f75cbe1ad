/** Figures as text. Pure. */
import { FIGURES, type Figure, type Summary } from '../figures.ts';

export const format = (value: number | undefined, { digits }: Pick<Figure, 'digits'>): string =>
  value === undefined ? '–' : value.toFixed(digits);

/** A load's figures as rows: the name of the figure, then its value for each variant. */
export function rowsOf(summaries: readonly Summary[], options: { all: boolean }): string[][] {
  return (FIGURES as readonly Figure[])
    .filter(({ key, main }) => (options.all || main === true) && summaries.some(({ figures }) => has(figures, key)))
    .map((figure) => [
      figure.unit === '' ? figure.title : `${figure.title}, ${figure.unit}`,
      ...summaries.map(({ figures }) => format((figures as Record<string, number>)[figure.key], figure)),
    ]);
}

const has = (figures: object, key: string): boolean => Object.hasOwn(figures, key);

/** Columns of equal width: the first to the left, the others to the right. */
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

/** Lists of the console, with texts for loading, failed and empty. */
import type { MaruError } from '@maru/protocol/errors';
import type { ComponentChildren } from 'preact';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  isNumber?: boolean;
}

export interface TableProps<T> {
  caption: string;
  columns: ReadonlyArray<Column<T>>;
  rows: readonly T[];
  keyOf: (row: T) => string;
  testId: string;
}

/** A wide table scrolls inside its frame. The frame is focusable, so the keyboard can scroll it. */
export function Table<T>({ caption, columns, rows, keyOf, testId }: TableProps<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls must be reachable by keyboard
    <section class="table-frame" tabIndex={0} aria-label={caption}>
      <table class="table" data-testid={testId}>
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} data-key={keyOf(row)}>
              {columns.map(({ title, cell, isNumber }) => (
                <td key={title} class={isNumber ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export interface StateProps {
  isReady: boolean;
  isLoading: boolean;
  isEmpty: boolean;
  error: MaruError | null;
  /** Nodes that did not answer. */
  missing?: readonly string[];
  more?: (() => void) | null;
  onRetry: () => void;
}

/** Shown below a list: why it is incomplete, and a button that loads more. */
export function ListState({ isReady, isLoading, isEmpty, error, missing = [], more = null, onRetry }: StateProps) {
  const { t } = useWords();
  const words = useSection('console');
  return (
    <div class="list-state" aria-live="polite">
      {error !== null && (
        <p class="alert" data-testid="list-problem">
          {error.code === 'forbidden' ? words.notAllowed : wordsOfError(t, error.code)}{' '}
          <button type="button" class="link-button" onClick={onRetry}>
            {words.again}
          </button>
        </p>
      )}
      {missing.length > 0 && <p class="hint">{words.missing(missing.join(', '))}</p>}
      {!isReady && isLoading && error === null && <p class="hint">{words.loading}</p>}
      {isReady && isEmpty && <p class="hint">{more === null ? words.none : words.noneYet}</p>}
      {more !== null && (
        <button type="button" class="quiet-button" data-testid="list-more" disabled={isLoading} onClick={more}>
          {words.more}
        </button>
      )}
    </div>
  );
}

/** Runs one act at a time. Holds whether it runs, and its error in the reader's language. */
import type { ActOutcome } from '@maru/client/conversation';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import { useEffect, useRef, useState } from 'preact/hooks';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';

export type ActState = { kind: 'idle' } | { kind: 'busy' } | { kind: 'done' } | { kind: 'failed'; problem: string };

export interface ActRunner {
  state: ActState;
  /** Resolves to whether the act succeeded. Ignored while another act runs. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
}

const FAILURES: Partial<Record<ErrorCode, 'failForbidden' | 'failNotFound' | 'failConflict'>> = {
  forbidden: 'failForbidden',
  not_found: 'failNotFound',
  conflict: 'failConflict',
};

/** Rejects with the error if the act was refused. */
export async function must(act: Promise<ActOutcome>): Promise<void> {
  const outcome = await act;
  if (!outcome.ok) throw new MaruError(outcome.error.code, outcome.error.message);
}

export function useAct(special: Partial<Record<ErrorCode, string>> = {}): ActRunner {
  const { t } = useWords();
  const words = useSection('moderation');
  const [state, setState] = useState<ActState>({ kind: 'idle' });
  const isBusy = useRef(false);
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    if (isBusy.current) return false;
    isBusy.current = true;
    setState({ kind: 'busy' });
    try {
      await act();
      setState({ kind: 'done' });
      return true;
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      const own = FAILURES[error.code];
      const problem = special[error.code] ?? (own === undefined ? wordsOfError(t, error.code) : words[own]);
      setState({ kind: 'failed', problem });
      return false;
    } finally {
      isBusy.current = false;
    }
  };
  return { state, run };
}

export interface Page<T> {
  items: T[];
  cursor?: string | undefined;
}

export interface Pages<T> {
  items: readonly T[];
  kind: 'loading' | 'failed' | 'ready';
  /** Loads the next page. Null on the last page. */
  more: (() => void) | null;
  reload: () => void;
}

/** A paged list. Loads the first page at once. */
export function usePages<T>(load: (cursor: string | undefined) => Promise<Page<T>>): Pages<T> {
  const [pages, setPages] = useState<{ items: T[]; cursor: string | undefined; kind: Pages<T>['kind'] }>({
    items: [],
    cursor: undefined,
    kind: 'loading',
  });
  const reading = useRef(0);
  const read = async (before: T[], cursor: string | undefined): Promise<void> => {
    const id = ++reading.current;
    try {
      const page = await load(cursor);
      if (id !== reading.current) return;
      setPages({ items: [...before, ...page.items], cursor: page.cursor, kind: 'ready' });
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      if (id === reading.current) setPages((now) => ({ ...now, kind: 'failed' }));
    }
  };
  const reload = () => void read([], undefined);
  useEffect(() => {
    reload();
    return () => void reading.current++;
  }, []);
  const { items, cursor, kind } = pages;
  return { items, kind, more: cursor === undefined ? null : () => void read(items, cursor), reload };
}

/** One act at a time: whether it runs, and what went wrong, in the reader's words. */
import type { ActOutcome } from '@maru/client/conversation';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import { useEffect, useRef, useState } from 'preact/hooks';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';

export type ActState = { kind: 'idle' } | { kind: 'busy' } | { kind: 'done' } | { kind: 'failed'; problem: string };

export interface ActRunner {
  state: ActState;
  /** Resolves to whether the act succeeded. Does nothing while another one runs. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
}

const FAILURES: Partial<Record<ErrorCode, 'failForbidden' | 'failNotFound' | 'failConflict'>> = {
  forbidden: 'failForbidden',
  not_found: 'failNotFound',
  conflict: 'failConflict',
};

/** Rejects with the reason if the act is refused. */
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
  /** Null if there is no more. */
  more: (() => void) | null;
  reload: () => void;
}

/** A list that comes in pages. Loads the first one at once. */
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

/** Loads data of the console: once, page by page, or repeatedly while the page is visible. */
import { MaruError } from '@maru/protocol/errors';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useVisible } from '../hooks.ts';
import type { Page } from './types.ts';
import { untilRows } from './until-rows.ts';

export type Data<T> = { value: T | null; error: MaruError | null; isLoading: boolean; reload: () => void };

/**
 * Loads when `key` changes, and every `everyMs` while the page is visible. A failed load keeps the
 * previous value.
 */
export function useData<T>(read: () => Promise<T>, key: string, everyMs?: number): Data<T> {
  const [state, setState] = useState<Omit<Data<T>, 'reload'>>({ value: null, error: null, isLoading: true });
  const [times, setTimes] = useState(0);
  const isVisible = useVisible();
  const known = useRef(key);
  useEffect(() => {
    if (!isVisible) return;
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isSame = known.current === key;
    known.current = key;
    setState((now) => ({ ...now, value: isSame ? now.value : null, isLoading: true }));
    const again = async () => {
      const outcome = await settle(read);
      if (!isCurrent) return;
      setState((now) => ({ value: outcome.value ?? now.value, error: outcome.error, isLoading: false }));
      if (everyMs !== undefined) timer = setTimeout(() => void again(), everyMs);
    };
    void again();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [key, everyMs, isVisible, times]);
  return { ...state, reload: () => setTimes((n) => n + 1) };
}

export interface Pages<T> extends Omit<Data<Page<T>>, 'value'> {
  items: readonly T[];
  isReady: boolean;
  missing: readonly string[];
  /** Loads the next page. Null on the last page. */
  more: (() => void) | null;
}

/** A paged list. It reloads when `key` changes, and every `everyMs`, for lists of one page. */
export function usePages<T>(
  readPage: (cursor: string | undefined) => Promise<Page<T>>,
  key: string,
  everyMs?: number,
): Pages<T> {
  const read = untilRows(readPage);
  const first = useData(() => read(undefined), key, everyMs);
  const [rest, setRest] = useState<{
    of: Page<T> | null;
    pages: Page<T>[];
    error: MaruError | null;
    isLoading: boolean;
  }>({ of: null, pages: [], error: null, isLoading: false });
  const isOf = rest.of === first.value;
  const pages = first.value === null ? [] : [first.value, ...(isOf ? rest.pages : [])];
  const cursor = pages.at(-1)?.cursor;
  const more = async () => {
    setRest({ of: first.value, pages: pages.slice(1), error: null, isLoading: true });
    const { value, error } = await settle(() => read(cursor));
    setRest({
      of: first.value,
      pages: value === null ? pages.slice(1) : [...pages.slice(1), value],
      error,
      isLoading: false,
    });
  };
  return {
    items: pages.flatMap(({ items }) => items),
    isReady: first.value !== null,
    missing: [...new Set(pages.flatMap(({ missing = [] }) => missing))],
    error: (isOf ? rest.error : null) ?? first.error,
    isLoading: first.isLoading || (isOf && rest.isLoading),
    more: cursor === undefined ? null : () => void more(),
    reload: first.reload,
  };
}

async function settle<T>(read: () => Promise<T>): Promise<{ value: T | null; error: MaruError | null }> {
  try {
    return { value: await read(), error: null };
  } catch (error) {
    if (!(error instanceof MaruError)) throw error;
    return { value: null, error };
  }
}

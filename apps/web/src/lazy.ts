/** Loads a part of the page on first use. Most readers never need it. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Section } from './i18n/catalogue.ts';
import { addSections, useWords } from './i18n/index.ts';

export type Lazy<T> = { kind: 'none' } | { kind: 'failed' } | { kind: 'ready'; part: T };

/**
 * `load` MUST stay the same function. After a failure, it runs again when the part is wanted again.
 */
export function useLazy<T>(load: () => Promise<T>, isWanted: boolean): Lazy<T> {
  const [lazy, setLazy] = useState<Lazy<T>>({ kind: 'none' });
  useEffect(() => {
    if (!isWanted) return;
    let isCurrent = true;
    load().then(
      (part) => isCurrent && setLazy({ kind: 'ready', part }),
      () => isCurrent && setLazy({ kind: 'failed' }),
    );
    return () => {
      isCurrent = false;
    };
  }, [load, isWanted]);
  return lazy;
}

/** The same for a part with its own texts. It loads their sections too. */
export function useLazyPart<T>(load: () => Promise<T>, sections: readonly Section[], isWanted: boolean): Lazy<T> {
  const words = useWords();
  const loadBoth = useCallback(async () => {
    const [part] = await Promise.all([load(), addSections(words, sections)]);
    return part;
  }, [load, words]);
  return useLazy(loadBoth, isWanted);
}

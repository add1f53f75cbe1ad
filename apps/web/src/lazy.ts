/** Loads a part of the page on first use. Most readers never need it. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Section } from './i18n/catalogue.ts';
import { addSections, useWords } from './i18n/index.ts';

/** `failed`: it is tried again by itself, and at once by `retry`. */
export type Lazy<T> = { kind: 'none' } | { kind: 'failed'; retry: () => void } | { kind: 'ready'; part: T };

/** Between two tries. The delays double. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** After a failure of the server, the pages of all users would try at the same time. */
const retryMs = (failed: number): number =>
  Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failed) * (0.5 + Math.random() / 2);

const NONE = { kind: 'none' } as const;

/** Style sheets that could not be loaded. Vite asks for each only once, also if it failed. */
const failedStyles = new Set<HTMLLinkElement>();

/** For errors of the window, in the capture phase. */
export function noteFailedStyle({ target }: Event): void {
  if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') failedStyles.add(target);
}

/** Rejects if one fails again. Without its style sheet, a part would be shown without form. */
const loadStylesAgain = () =>
  Promise.all(
    Array.from(failedStyles, (failed) => {
      failedStyles.delete(failed);
      const again = failed.cloneNode() as HTMLLinkElement;
      failed.replaceWith(again);
      return new Promise((resolve, reject) => {
        again.onload = resolve;
        again.onerror = reject;
      });
    }),
  );

/** `load` MUST stay the same function. */
export function useLazy<T>(load: () => Promise<T>, isWanted: boolean): Lazy<T> {
  const [lazy, setLazy] = useState<Lazy<T>>(NONE);
  useEffect(() => {
    if (!isWanted) return;
    let isCurrent = true;
    let failed = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const attempt = () => {
      clearTimeout(timer);
      const loaded = failedStyles.size === 0 ? load() : loadStylesAgain().then(load);
      loaded.then(
        (part) => isCurrent && setLazy({ kind: 'ready', part }),
        () => {
          if (!isCurrent) return;
          clearTimeout(timer);
          timer = setTimeout(attempt, retryMs(failed++));
          setLazy({ kind: 'failed', retry: attempt });
        },
      );
    };
    setLazy((before) => (before.kind === 'failed' ? NONE : before));
    attempt();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
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

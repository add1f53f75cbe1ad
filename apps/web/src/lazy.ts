/** Loads a part of the page on first use. Most readers never need it. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Section } from './i18n/catalogue.ts';
import { addSections, useWords } from './i18n/index.ts';

/** `failed`: `retry` tries again at once. */
export type Lazy<T> = { kind: 'none' } | { kind: 'failed'; retry: () => void } | { kind: 'ready'; part: T };

/** Tries by itself in a row. After them, it waits until the network or the user is back. */
const TRIES_MAX = 8;
/** Between two tries. The delays double. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** After a failure of the server, the pages of all users would try at the same time. */
const retryMs = (failed: number): number =>
  Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failed) * (0.5 + Math.random() / 2);

const NONE = { kind: 'none' } as const;

/** Style sheets that could not be loaded. Vite asks for each only once, also if it failed. */
const failedStyles = new Set<HTMLLinkElement>();
/** Which part failed first without a style sheet, by the address of the sheet. */
const needing = new Map<string, unknown>();

/** For errors of the window, in the capture phase. */
export function noteFailedStyle({ target }: Event): void {
  if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') failedStyles.add(target);
}

const loadStylesAgain = () =>
  Promise.all(
    Array.from(failedStyles, (failed) => {
      failedStyles.delete(failed);
      const again = failed.cloneNode() as HTMLLinkElement;
      failed.replaceWith(again);
      return new Promise((resolve) => {
        again.onload = again.onerror = resolve;
      });
    }),
  );

/**
 * Loads a part with its style sheets. Without them, it would be shown without form. `load` MUST
 * stay the same function.
 */
export async function loadStyled<T>(load: () => Promise<T>): Promise<T> {
  await loadStylesAgain();
  try {
    const part = await load();
    for (const { href } of failedStyles) if (needing.get(href) === load) throw href;
    return part;
  } catch (error) {
    for (const { href } of failedStyles) if (!needing.has(href)) needing.set(href, load);
    throw error;
  }
}

/**
 * `load` MUST stay the same function. `triesAgain`: also by itself. Not for a dialog or pane: it
 * would open and take the focus while the user writes elsewhere.
 */
export function useLazy<T>(load: () => Promise<T>, isWanted: boolean, triesAgain: boolean): Lazy<T> {
  const [lazy, setLazy] = useState<Lazy<T>>(NONE);
  useEffect(() => {
    if (!isWanted) return;
    const end = new AbortController();
    const { signal } = end;
    let failed = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const retry = () => {
      clearTimeout(timer);
      load().then(
        (part) => {
          if (signal.aborted) return;
          end.abort();
          setLazy({ kind: 'ready', part });
        },
        () => {
          if (signal.aborted) return;
          clearTimeout(timer);
          if (triesAgain && failed < TRIES_MAX) timer = setTimeout(retry, retryMs(failed++));
          setLazy(failure);
        },
      );
    };
    const failure = { kind: 'failed', retry } as const;
    const onBack = () => {
      if (failed < TRIES_MAX || document.hidden) return;
      failed = 0;
      retry();
    };
    addEventListener('online', onBack, { signal });
    addEventListener('visibilitychange', onBack, { signal });
    setLazy((before) => (before.kind === 'failed' ? NONE : before));
    retry();
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, [load, isWanted]);
  return lazy;
}

/** The same for a part with its own texts. It loads their sections too. */
export function useLazyPart<T>(
  load: () => Promise<T>,
  sections: readonly Section[],
  isWanted: boolean,
  triesAgain = false,
): Lazy<T> {
  const words = useWords();
  const loadBoth = useCallback(async () => {
    const [part] = await Promise.all([loadStyled(load), addSections(words, sections)]);
    return part;
  }, [load, words]);
  return useLazy(loadBoth, isWanted, triesAgain);
}

import { systemScheduler } from '@maru/client';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { createStore } from './model/store.ts';

/** The current value of an observable. */
export function useWatched<T>(source: { get(): T; subscribe(listener: () => void): () => void }): T {
  const [, redraw] = useState(0);
  useEffect(() => source.subscribe(() => redraw((n) => n + 1)), [source]);
  return source.get();
}

/** The same for an observable that changes with each message of a busy room. */
export function useThrottled<T>(source: { get(): T; subscribe(listener: () => void): () => void }): T {
  const store = useMemo(() => createStore(source.get(), systemScheduler), [source]);
  useEffect(() => {
    const unsubscribe = source.subscribe(() => store.set(source.get()));
    store.set(source.get());
    return () => {
      unsubscribe();
      store.close();
    };
  }, [source, store]);
  return useWatched(store);
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const read = () => setMatches(list.matches);
    read();
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, [query]);
  return matches;
}

export function useVisible(): boolean {
  const [isVisible, setVisible] = useState(() => document.visibilityState === 'visible');
  useEffect(() => {
    const read = () => setVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, []);
  return isVisible;
}

import { systemScheduler } from '@maru/client';
import { useEffect, useMemo } from 'preact/hooks';
import { type Source, useWatched } from './hooks.ts';
import { createStore } from './model/store.ts';

/** Like `useWatched`, for an observable that changes with each message of a busy room. */
export function useThrottled<T>(source: Source<T>, intervalMs?: number): T {
  const store = useMemo(() => createStore(source.get(), systemScheduler, intervalMs), [source, intervalMs]);
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

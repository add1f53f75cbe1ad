/** Loads a part of the page when it is first needed: most readers never need it. */
import { useEffect, useState } from 'preact/hooks';

export type Lazy<T> = { kind: 'none' } | { kind: 'failed' } | { kind: 'ready'; part: T };

/** `load` MUST stay the same function. After a failure it is tried again when it is wanted anew. */
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

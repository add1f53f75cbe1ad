import type { ComponentType } from 'preact';
import type { Section } from './i18n/catalogue.ts';
import { useLazyPart } from './lazy.ts';
import { LoadFailed } from './load-failed.tsx';

export interface LazyDialogProps<P> {
  /** MUST stay the same function. */
  load: () => Promise<ComponentType<P>>;
  words: readonly Section[];
  /** Null while it is closed. */
  given: (P & { onClose: () => void }) | null;
}

/** A dialog or popup that is loaded when it first opens. With a new `key`, it tries again. */
export function LazyDialog<P>({ load, words, given }: LazyDialogProps<P>) {
  const lazy = useLazyPart(load, words, given !== null);
  if (given === null || lazy.kind === 'none') return null;
  if (lazy.kind === 'failed') return <LoadFailed retry={lazy.retry} onClose={given.onClose} />;
  const Part = lazy.part;
  return <Part {...given} />;
}

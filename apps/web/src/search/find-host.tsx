import { useEffect } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { FindPaneProps } from './find-props.ts';

const load = () => import('./find-pane.tsx').then(({ FindPane }) => FindPane);

/** Loads the search when it first opens. Returns the focus when it closes. */
export function FindHost(props: FindPaneProps) {
  const { t } = useWords();
  const lazy = useLazyPart(load, ['search'], true);
  useEffect(() => {
    const returnTo = document.activeElement;
    return () => {
      if (document.activeElement !== document.body && document.activeElement !== null) return;
      const isThere = returnTo instanceof HTMLElement && returnTo.isConnected && returnTo !== document.body;
      (isThere ? returnTo : document.querySelector<HTMLElement>('.log'))?.focus();
    };
  }, []);
  if (lazy.kind === 'ready') return <lazy.part {...props} />;
  if (lazy.kind === 'failed') return <LoadFailed class="pane-note hint" retry={lazy.retry} />;
  return <p class="pane-note hint">{t.loadingOlder}</p>;
}

import { useEffect } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { ThreadPaneProps } from './thread-pane.tsx';

const load = () => import('./thread-pane.tsx').then(({ ThreadPane }) => ThreadPane);

/** Loads the pane when a thread is first opened. Returns the focus when the pane closes. */
export function ThreadHost(props: ThreadPaneProps) {
  const { t } = useWords();
  const lazy = useLazyPart(load, ['conversation'], true);
  useEffect(() => {
    const returnTo = document.activeElement;
    return () => {
      const isThere = returnTo instanceof HTMLElement && returnTo.isConnected && returnTo !== document.body;
      (isThere ? returnTo : document.querySelector<HTMLElement>('.log'))?.focus();
    };
  }, []);
  if (lazy.kind === 'ready') return <lazy.part key={props.root} {...props} />;
  if (lazy.kind === 'failed') return <LoadFailed class="pane-note hint" retry={lazy.retry} />;
  return <p class="pane-note hint">{t.loadingOlder}</p>;
}

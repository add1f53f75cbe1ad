import { useWords } from '../i18n/index.ts';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { DirectoryProps } from './directory-props.ts';

const load = () => import('./directory.tsx').then(({ DirectoryPage }) => DirectoryPage);

/** Loads the directory when it is first shown. */
export function DirectoryHost(props: DirectoryProps) {
  const { t } = useWords();
  const lazy = useLazyPart(load, ['rooms'], true, true);
  if (lazy.kind === 'ready') return <lazy.part {...props} />;
  return (
    <main class="conversation">
      {lazy.kind === 'failed' ? (
        <LoadFailed class="page-note" retry={lazy.retry} />
      ) : (
        <p class="page-note" role="status">
          {t.loadingOlder}
        </p>
      )}
    </main>
  );
}

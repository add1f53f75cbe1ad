import { systemScheduler } from '@maru/client';
import { useEffect } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';

const SHOWN_MS = 4_000;

/**
 * Shows briefly whether a text was copied. The element is always in the page, because screen
 * readers announce only changes in it.
 */
export function CopyNote({ copied, onOver }: { copied: { isDone: boolean } | null; onOver: () => void }) {
  const { t } = useWords();
  useEffect(() => (copied === null ? undefined : systemScheduler.after(SHOWN_MS, onOver)), [copied, onOver]);
  return (
    <div role="status" class="copy-note">
      {copied !== null && <p data-testid="copy-note">{copied.isDone ? t.copied : t.copyFailed}</p>}
    </div>
  );
}

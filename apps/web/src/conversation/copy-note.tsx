import { systemScheduler } from '@maru/client';
import { useEffect } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';

const SHOWN_MS = 4_000;

/** Says for a moment whether something is on the clipboard. Always in the page, to be announced. */
export function CopyNote({ copied, onOver }: { copied: { isDone: boolean } | null; onOver: () => void }) {
  const { t } = useWords();
  useEffect(() => (copied === null ? undefined : systemScheduler.after(SHOWN_MS, onOver)), [copied, onOver]);
  return (
    <div role="status" class="copy-note">
      {copied !== null && <p data-testid="copy-note">{copied.isDone ? t.copied : t.copyFailed}</p>}
    </div>
  );
}

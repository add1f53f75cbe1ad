import { useWords } from '../i18n/index.ts';
import { useLazyPart } from '../lazy.ts';
import type { DialogTarget, ModerationDialogProps } from './target.ts';

export type DialogHostProps = Omit<ModerationDialogProps, 'target'> & { target: DialogTarget | null };

const load = () => import('./dialog.tsx').then(({ ModerationDialog }) => ModerationDialog);

/** Loads the moderation dialog when it first opens. */
export function DialogHost({ target, ...props }: DialogHostProps) {
  const { t } = useWords();
  const lazy = useLazyPart(load, ['conversation', 'moderation'], target !== null);
  if (target === null) return null;
  if (lazy.kind === 'ready') return <lazy.part {...props} target={target} />;
  if (lazy.kind === 'none') return null;
  return (
    <p class="alert dialog-failed" role="alert">
      {t.dialogFailed}{' '}
      <button type="button" class="link-button" onClick={props.onClose}>
        {t.closePanel}
      </button>
    </p>
  );
}

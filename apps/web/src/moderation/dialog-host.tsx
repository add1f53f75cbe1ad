/** Loads the dialog of acts when it is first opened: most readers never need it. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import type { DialogTarget, ModerationDialogProps } from './target.ts';

type Loaded = { kind: 'none' } | { kind: 'failed' } | { kind: 'ready'; Dialog: ComponentType<ModerationDialogProps> };

export type DialogHostProps = Omit<ModerationDialogProps, 'target'> & { target: DialogTarget | null };

export function DialogHost({ target, ...props }: DialogHostProps) {
  const { t } = useWords();
  const [loaded, setLoaded] = useState<Loaded>({ kind: 'none' });
  const isOpen = target !== null;
  useEffect(() => {
    if (!isOpen) return;
    let isWanted = true;
    import('./dialog.tsx').then(
      ({ ModerationDialog }) => isWanted && setLoaded({ kind: 'ready', Dialog: ModerationDialog }),
      () => isWanted && setLoaded({ kind: 'failed' }),
    );
    return () => {
      isWanted = false;
    };
  }, [isOpen]);
  if (target === null) return null;
  if (loaded.kind === 'ready') return <loaded.Dialog {...props} target={target} />;
  if (loaded.kind === 'none') return null;
  return (
    <p class="alert dialog-failed" role="alert">
      {t.dialogFailed}{' '}
      <button type="button" class="link-button" onClick={props.onClose}>
        {t.closePanel}
      </button>
    </p>
  );
}

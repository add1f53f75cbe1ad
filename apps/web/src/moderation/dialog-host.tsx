import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { DialogTarget, ModerationDialogProps } from './target.ts';

export type DialogHostProps = Omit<ModerationDialogProps, 'target'> & { target: DialogTarget | null };

const load = () => import('./dialog.tsx').then(({ ModerationDialog }) => ModerationDialog);

/** Loads the moderation dialog when it first opens. */
export function DialogHost({ target, ...props }: DialogHostProps) {
  const lazy = useLazyPart(load, ['conversation', 'moderation'], target !== null);
  if (target === null) return null;
  if (lazy.kind === 'ready') return <lazy.part {...props} target={target} />;
  if (lazy.kind === 'none') return null;
  return <LoadFailed retry={lazy.retry} onClose={props.onClose} />;
}

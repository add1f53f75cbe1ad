import type { Section } from '../i18n/catalogue.ts';
import { LazyDialog } from '../lazy-dialog.tsx';
import type { DialogTarget, ModerationDialogProps } from './target.ts';

export type DialogHostProps = Omit<ModerationDialogProps, 'target'> & { target: DialogTarget | null };

const load = () => import('./dialog.tsx').then(({ ModerationDialog }) => ModerationDialog);

const WORDS: readonly Section[] = ['conversation', 'moderation'];

/** Loads the moderation dialog when it first opens. */
export function DialogHost({ target, ...props }: DialogHostProps) {
  return <LazyDialog load={load} words={WORDS} given={target && { ...props, target }} />;
}

import type { ComponentChildren } from 'preact';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { EditFormProps } from './edit-form.tsx';

const load = () => import('./edit-form.tsx').then(({ EditForm }) => EditForm);

/** Loads the form at the first edit. Until then it shows `children`, the text. */
export function EditHost({ children, ...props }: EditFormProps & { children: ComponentChildren }) {
  const lazy = useLazyPart(load, ['conversation'], true);
  if (lazy.kind === 'ready') return <lazy.part key={props.message.seq} {...props} />;
  return (
    <>
      {children}
      {lazy.kind === 'failed' && <LoadFailed class="fate fate-failed" retry={lazy.retry} />}
    </>
  );
}

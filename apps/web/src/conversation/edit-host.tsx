import type { ComponentChildren } from 'preact';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { EditFormProps } from './edit-form.tsx';

const load = () => import('./edit-form.tsx').then(({ EditForm }) => EditForm);

/** Loads the form when something is first edited. `children`, the text, stays until then. */
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

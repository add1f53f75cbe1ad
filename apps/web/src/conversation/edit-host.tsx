import type { ComponentChildren } from 'preact';
import { useWords } from '../i18n/index.ts';
import { useLazyPart } from '../lazy.ts';
import type { EditFormProps } from './edit-form.tsx';

const load = () => import('./edit-form.tsx').then(({ EditForm }) => EditForm);

/** Loads the form at the first edit. Until then it shows `children`, the text. */
export function EditHost({ children, ...props }: EditFormProps & { children: ComponentChildren }) {
  const { t } = useWords();
  const lazy = useLazyPart(load, ['conversation'], true);
  if (lazy.kind === 'ready') return <lazy.part key={props.message.seq} {...props} />;
  return (
    <>
      {children}
      {lazy.kind === 'failed' && (
        <p class="fate fate-failed" role="alert">
          {t.dialogFailed}
        </p>
      )}
    </>
  );
}

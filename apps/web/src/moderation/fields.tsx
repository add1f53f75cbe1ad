/** Small parts that the forms of the dialog share. */

import { LIMITS } from '@maru/protocol/limits';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { ActState, Pages } from './use-act.ts';

export function Field({ id, label, children }: { id: string; label: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
    </div>
  );
}

export function ReasonField({ id, label, isRequired = false }: { id: string; label: string; isRequired?: boolean }) {
  return (
    <Field id={id} label={label}>
      <input id={id} name="reason" dir="auto" maxLength={LIMITS.reasonCharsMax} required={isRequired} />
    </Field>
  );
}

/**
 * The result of an act. The element is always in the page: screen readers announce its changes, and
 * nothing moves.
 */
export function Outcome({ state, done }: { state: ActState; done: string }) {
  return (
    <p class={state.kind === 'failed' ? 'field-error outcome' : 'hint outcome'} role="status">
      {state.kind === 'failed' ? state.problem : state.kind === 'done' ? done : ''}
    </p>
  );
}

/** Renders its children only while it is open. */
export function Section(props: { title: string; isOpen?: boolean; testId: string; children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(props.isOpen ?? false);
  return (
    <details
      class="sheet-section"
      data-testid={props.testId}
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>{props.title}</summary>
      {isOpen && <div class="sheet-section-body">{props.children}</div>}
    </details>
  );
}

/** The states of a paged list: loading, empty, failed, more. */
export function ListFrame<T>({
  pages,
  empty,
  children,
}: {
  pages: Pages<T>;
  empty: string;
  children: ComponentChildren;
}) {
  const words = useSection('moderation');
  return (
    <>
      {pages.items.length > 0 && <ul class="sheet-list">{children}</ul>}
      {pages.kind === 'loading' && <p class="hint">{words.loading}</p>}
      {pages.kind === 'ready' && pages.items.length === 0 && <p class="hint">{empty}</p>}
      {pages.kind === 'failed' && (
        <p class="field-error" role="alert">
          {words.loadFailed}{' '}
          <button type="button" class="link-button" onClick={pages.reload}>
            {words.again}
          </button>
        </p>
      )}
      {pages.kind === 'ready' && pages.more !== null && (
        <button type="button" class="quiet-button" onClick={pages.more}>
          {words.more}
        </button>
      )}
    </>
  );
}

/** A text field of a submitted form, trimmed. */
export const textOf = (form: HTMLFormElement, name: string): string =>
  String(new FormData(form).get(name) ?? '').trim();

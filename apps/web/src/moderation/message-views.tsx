/** Dialogs that report a message, or delete a message of another user. */
import type { ComponentChildren } from 'preact';
import { useSection } from '../i18n/index.ts';
import { Outcome, ReasonField, textOf } from './fields.tsx';
import type { MessageViewProps } from './target.ts';
import { must, useAct } from './use-act.ts';

export function ReportView({ client, store, message, onClose }: MessageViewProps) {
  const words = useSection('moderation');
  const { state, run } = useAct();
  const submit = (event: Event) => {
    event.preventDefault();
    const reason = textOf(event.currentTarget as HTMLFormElement, 'reason');
    if (reason !== '') void run(() => client.moderation.report(store.room, message.seq, reason));
  };
  return (
    <form class="sheet-form" data-testid="report-form" onSubmit={submit}>
      <blockquote dir="auto">{message.text}</blockquote>
      <ReasonField id="report-reason" label={words.reportReason} isRequired />
      <div class="sheet-submit">
        {state.kind !== 'done' && (
          <button type="submit" class="primary-button" data-testid="report-submit" disabled={state.kind === 'busy'}>
            {words.reportSend}
          </button>
        )}
        <QuietButton onClick={onClose}>{state.kind === 'done' ? words.close : words.cancel}</QuietButton>
        <Outcome state={state} done={words.reported} />
      </div>
    </form>
  );
}

export function EraseView({ store, message, onClose }: MessageViewProps) {
  const words = useSection('moderation');
  const { state, run } = useAct({ not_found: words.goneMessage });
  const submit = (event: Event) => {
    event.preventDefault();
    const reason = textOf(event.currentTarget as HTMLFormElement, 'reason');
    const erase = () => must(store.conversation.delete(message.seq, reason === '' ? undefined : reason));
    void run(erase).then((isDone) => isDone && onClose());
  };
  return (
    <form class="sheet-form" data-testid="delete-form" onSubmit={submit}>
      <blockquote dir="auto">{message.text}</blockquote>
      <p>{words.eraseDetail}</p>
      <ReasonField id="delete-reason" label={words.eraseReason} />
      <div class="sheet-submit">
        <button type="submit" class="danger-button" data-testid="delete-confirm" disabled={state.kind === 'busy'}>
          {words.erase}
        </button>
        <QuietButton onClick={onClose}>{words.keep}</QuietButton>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}

function QuietButton({ onClick, children }: { onClick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="quiet-button" onClick={onClick}>
      {children}
    </button>
  );
}

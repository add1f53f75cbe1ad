/** What the reader may do to a message: react, reply, edit, pin, delete. Part of its dialog. */
import { mayDo, textProblem } from '@maru/client';
import type { ActOutcome, Message } from '@maru/client/conversation';
import { MaruError } from '@maru/protocol/errors';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isOneEmoji, OFFERED_EMOJI } from '../model/emoji.ts';
import { keptMentions } from '../model/mentions.ts';
import { Field, Outcome, ReasonField, textOf } from '../moderation/fields.tsx';
import type { PersonViewProps } from '../moderation/target.ts';
import { useAct } from '../moderation/use-act.ts';
import './conversation.css';
import { useConversationWords } from './use-conversation-words.ts';

export type MessageActionsProps = PersonViewProps & {
  message: Message;
  /** Hidden while a form is open. */
  children?: ComponentChildren;
};

/** Rejects with the reason if the act is refused. */
export async function must(act: Promise<ActOutcome>): Promise<void> {
  const outcome = await act;
  if (!outcome.ok) throw new MaruError(outcome.error.code, outcome.error.message);
}

/** Runs one act on the message, and closes the dialog if it succeeds. */
function useMessageAct({ onClose }: MessageActionsProps, conflict: string) {
  const words = useConversationWords();
  const { state, run } = useAct({ conflict, not_found: words.gone, forbidden: words.notAllowed });
  return {
    state,
    act: (act: () => Promise<ActOutcome>) => void run(() => must(act())).then((isDone) => isDone && onClose()),
  };
}

/** The button that opened the form is gone, so the form takes the focus. */
function useFirstFocus<E extends HTMLElement>() {
  const first = useRef<E>(null);
  useEffect(() => first.current?.focus(), []);
  return first;
}

export function MessageActions(given: MessageActionsProps) {
  const words = useConversationWords();
  // As it is now: it may have changed since its menu was opened.
  const message = given.store.conversation.message(given.message.seq) ?? given.message;
  const props = { ...given, message };
  const { details, ownId, onClose, onThread } = props;
  const [form, setForm] = useState<'edit' | 'delete' | null>(null);
  const isOwn = message.from.id === ownId;
  const allows = (act: 'edit' | 'erase') =>
    mayDo(act, { ownRole: details.role, isSelf: isOwn, visibility: details.visibility });
  const back = useRef<HTMLDivElement>(null);
  const keep = () => setForm(null);
  const hadForm = useRef(false);
  useEffect(() => {
    if (form === null && hadForm.current) back.current?.querySelector('button')?.focus();
    hadForm.current = form !== null;
  }, [form]);
  if (message.deleted !== null) {
    return (
      <>
        <p class="hint sheet-id">{words.isDeleted}</p>
        {given.children}
      </>
    );
  }
  if (form === 'edit') return <EditForm {...props} onKeep={keep} />;
  if (form === 'delete') return <DeleteForm {...props} isOwn={isOwn} onKeep={keep} />;
  return (
    <>
      <blockquote dir="auto">{message.text}</blockquote>
      <ReactForm {...props} />
      <div class="sheet-submit message-acts" ref={back}>
        <button
          type="button"
          class="quiet-button"
          data-testid="reply-in-thread"
          onClick={() => {
            onClose();
            onThread(message.thread ?? message.seq);
          }}
        >
          {message.thread === null ? words.reply : words.openThread}
        </button>
        {allows('edit') && (
          <button type="button" class="quiet-button" data-testid="edit" onClick={() => setForm('edit')}>
            {words.edit}
          </button>
        )}
        <PinButton {...props} />
        {allows('erase') && (
          <button type="button" class="quiet-button" data-testid="delete" onClick={() => setForm('delete')}>
            {words.remove}
          </button>
        )}
      </div>
      {given.children}
    </>
  );
}

function PinButton(props: MessageActionsProps) {
  const { message, details, store } = props;
  const words = useConversationWords();
  const { state, act } = useMessageAct(props, words.tooManyPins);
  if (!mayDo('pin', { ownRole: details.role, visibility: details.visibility })) return null;
  return (
    <>
      <button
        type="button"
        class="quiet-button"
        data-testid="pin"
        onClick={() => act(() => store.conversation.pin(message.seq, !message.pinned))}
      >
        {message.pinned ? words.unpin : words.pin}
      </button>
      <Outcome state={state} done="" />
    </>
  );
}

function ReactForm(props: MessageActionsProps) {
  const { message, store } = props;
  const words = useConversationWords();
  const { state, act } = useMessageAct(props, words.tooManyReactions);
  const [isBad, setBad] = useState(false);
  const isMine = (emoji: string) => message.reactions.some((one) => one.emoji === emoji && one.mine);
  const react = (emoji: string) => act(() => store.conversation.react(message.seq, emoji, !isMine(emoji)));
  const submit = (event: Event) => {
    event.preventDefault();
    const emoji = textOf(event.currentTarget as HTMLFormElement, 'emoji');
    if (!isOneEmoji(emoji)) return setBad(true);
    react(emoji);
  };
  return (
    <form class="sheet-form react-form" data-testid="react-form" noValidate onSubmit={submit}>
      <fieldset class="emoji-row">
        <legend class="sr-only">{words.react}</legend>
        {OFFERED_EMOJI.map((emoji) => (
          <button
            key={emoji}
            type="button"
            class="emoji-button"
            data-testid="offered-emoji"
            data-emoji={emoji}
            aria-pressed={isMine(emoji)}
            aria-label={words.reactWith(emoji)}
            onClick={() => react(emoji)}
          >
            {emoji}
          </button>
        ))}
      </fieldset>
      <div class="field">
        <label for="other-emoji">{words.otherEmoji}</label>
        <div class="sheet-row">
          <input
            id="other-emoji"
            name="emoji"
            autoComplete="off"
            aria-invalid={isBad}
            aria-describedby="emoji-problem"
            onInput={() => setBad(false)}
          />
          <button type="submit" class="quiet-button" data-testid="emoji-submit">
            {words.add}
          </button>
        </div>
        <p id="emoji-problem" class="field-error outcome" role="status">
          {isBad ? words.notOneEmoji : ''}
        </p>
      </div>
      <Outcome state={state} done="" />
    </form>
  );
}

function EditForm(props: MessageActionsProps & { onKeep: () => void }) {
  const { message, store, names, onKeep } = props;
  const words = useConversationWords();
  const { state, act } = useMessageAct(props, words.tooManyEdits);
  const [text, setText] = useState(message.text);
  const first = useFirstFocus<HTMLTextAreaElement>();
  const submit = (event: Event) => {
    event.preventDefault();
    if (textProblem(text) !== null) return;
    const mentions = keptMentions(message, text, names);
    act(() => store.conversation.edit(message.seq, text, mentions.length === 0 ? {} : { mentions }));
  };
  return (
    <form class="sheet-form" data-testid="edit-form" onSubmit={submit}>
      <Field id="edit-text" label={words.editLabel}>
        <textarea
          id="edit-text"
          dir="auto"
          rows={4}
          value={text}
          ref={first}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </Field>
      <div class="sheet-submit">
        <button
          type="submit"
          class="primary-button"
          data-testid="edit-submit"
          disabled={state.kind === 'busy' || textProblem(text) !== null}
        >
          {words.save}
        </button>
        <button type="button" class="quiet-button" onClick={onKeep}>
          {words.cancel}
        </button>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}

function DeleteForm(props: MessageActionsProps & { isOwn: boolean; onKeep: () => void }) {
  const { message, store, isOwn, onKeep } = props;
  const words = useConversationWords();
  const { state, act } = useMessageAct(props, words.gone);
  // The safe answer.
  const first = useFirstFocus<HTMLButtonElement>();
  const submit = (event: Event) => {
    event.preventDefault();
    const reason = isOwn ? '' : textOf(event.currentTarget as HTMLFormElement, 'reason');
    act(() => store.conversation.delete(message.seq, reason === '' ? undefined : reason));
  };
  return (
    <form class="sheet-form" data-testid="delete-form" onSubmit={submit}>
      <blockquote dir="auto">{message.text}</blockquote>
      <p>{words.removeDetail}</p>
      {!isOwn && <ReasonField id="delete-reason" label={words.removeReason} />}
      <div class="sheet-submit">
        <button type="submit" class="danger-button" data-testid="delete-confirm" disabled={state.kind === 'busy'}>
          {words.removeForGood}
        </button>
        <button type="button" class="quiet-button" ref={first} onClick={onKeep}>
          {words.keep}
        </button>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}

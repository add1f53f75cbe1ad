/** The field in which a message is written. The room and a thread have one each. */
import { codePointCount, textProblem } from '@maru/client';
import { MaruError } from '@maru/protocol/errors';
import type { UserRef } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { wordsOfError } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { SendIcon } from '../icons.tsx';
import { isEditKey, isSendKey } from '../model/enter-key.ts';
import type { Offer } from '../model/mentions.ts';
import type { TypingSender } from '../model/typing.ts';
import { usePreferences } from '../settings/use-preferences.ts';
import { type SuggestionField, SuggestionList, useSuggestions } from './use-suggestions.tsx';

export interface MessageFormProps extends Pick<Offer, 'names' | 'ownId'> {
  /** Distinguishes the forms of one page. */
  id: string;
  label: string;
  placeholder: string;
  /** `pause`: the next message can be written already, but not sent. */
  gate: 'open' | 'pause' | 'shut';
  /** The words about it, and how they look. */
  hint: string;
  hintClass: string;
  takesFocus: boolean;
  mayMentionRoom: boolean;
  typing: TypingSender;
  draft: string;
  /** As in `SuggestionOptions`. */
  owner: object;
  onDraft: (text: string) => void;
  /** @throws MaruError if the text cannot be queued. */
  onSend: (text: string, mentions: string[]) => void;
  /** The key for it: up, in an empty field. */
  onEditLast: () => void;
  /** A user whose mention was chosen outside the form, such as in the card of a person. */
  mention: UserRef | null;
  onMentioned: () => void;
}

export function MessageForm(props: MessageFormProps) {
  const { id, label, placeholder, gate, hint, hintClass, takesFocus, typing, draft, onDraft, onSend, onEditLast } =
    props;
  const { t } = useWords();
  const { enterSends } = usePreferences();
  const { text, setText, hasWritten, restored } = useDraft(draft);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const change = (next: string) => {
    hasWritten.current = true;
    setText(next);
    onDraft(next);
    setProblem(null);
    typing.onInput(next.trim() === '');
  };
  const suggestions = useSuggestions({
    ...{ ...props, field },
    listId: `${id}-suggestions`,
    onText: change,
    restored: restored.current,
  });
  useEffect(() => () => typing.stop(), [typing]);
  useEffect(() => {
    if (takesFocus) field.current?.focus();
  }, [takesFocus]);

  useMentionFrom(props, suggestions);

  const isTooLong = textProblem(text) === 'too_long';
  const over = isTooLong ? codePointCount(text.trim()) - LIMITS.textCodePointsMax : 0;

  const send = () => {
    if (gate !== 'open' || textProblem(text) !== null) return;
    try {
      onSend(text, suggestions.mentionsIn(text));
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      setProblem(error.code === 'unavailable' ? t.outboxFull : wordsOfError(t, error.code));
      return;
    }
    hasWritten.current = true;
    restored.current = '';
    setProblem(null);
    setText('');
    onDraft('');
    suggestions.close();
    suggestions.forget();
    typing.stop();
    field.current?.focus();
  };

  const editLast = (event: KeyboardEvent): void => {
    event.preventDefault();
    onEditLast();
  };

  const notice = problem ?? (isTooLong ? (over > 0 ? t.overLimit(over) : t.errorTooLarge) : null);
  return (
    <form
      class="composer"
      data-region={id === 'message' ? 'composer' : undefined}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <SuggestionList suggestions={suggestions} />
      <div class="composer-box" data-invalid={isTooLong} data-gate={gate}>
        <textarea
          ref={field}
          id={`${id}-input`}
          data-testid={`${id}-input`}
          class="composer-field"
          dir="auto"
          rows={Math.min(8, text.split('\n').length)}
          disabled={gate === 'shut'}
          placeholder={placeholder}
          aria-label={label}
          aria-describedby={`${id}-hint`}
          aria-invalid={isTooLong}
          {...suggestions.aria}
          value={text}
          onInput={(event) => {
            change(event.currentTarget.value);
            suggestions.onCaret();
          }}
          onSelect={suggestions.onCaret}
          onBlur={suggestions.close}
          onKeyDown={(event) => {
            if (suggestions.onKey(event)) return;
            if (isEditKey(event, text)) return editLast(event);
            if (!isSendKey(event, enterSends)) return;
            event.preventDefault();
            send();
          }}
        />
        <SendButton
          testId={id === 'message' ? 'send-button' : `${id}-send`}
          isOff={gate !== 'open' || textProblem(text) !== null}
        />
      </div>
      <Hint id={id} notice={notice} hint={hint} hintClass={hintClass} isCounting={gate === 'pause'} />
    </form>
  );
}

/** The text, which begins as the draft. */
function useDraft(draft: string) {
  const [text, setText] = useState(draft);
  /** Drafts that come later are what was written here, perhaps sent already. */
  const hasWritten = useRef(false);
  const restored = useRef(draft);
  if (!hasWritten.current) restored.current = draft;
  // What another tab left arrives a moment later. It replaces nothing.
  useEffect(() => {
    if (!hasWritten.current) setText((now) => (now === '' ? draft : now));
  }, [draft]);
  return { text, setText, hasWritten, restored };
}

function useMentionFrom({ mention, onMentioned }: MessageFormProps, { append }: SuggestionField): void {
  useEffect(() => {
    if (mention === null) return;
    append(mention);
    onMentioned();
  }, [mention]);
}

function SendButton({ testId, isOff }: { testId: string; isOff: boolean }): ComponentChildren {
  const { t } = useWords();
  return (
    <button type="submit" class="send-button" data-testid={testId} aria-label={t.send} title={t.send} disabled={isOff}>
      <SendIcon />
    </button>
  );
}

function Hint(props: { id: string; notice: string | null; hint: string; hintClass: string; isCounting: boolean }) {
  return (
    <p
      id={`${props.id}-hint`}
      class={`composer-hint ${props.notice !== null ? 'field-error' : props.hintClass}`}
      data-testid={props.id === 'message' ? 'composer-hint' : `${props.id}-hint`}
      // A countdown would be read out each second.
      aria-live={props.isCounting ? 'off' : 'polite'}
    >
      {props.notice ?? props.hint}
    </p>
  );
}

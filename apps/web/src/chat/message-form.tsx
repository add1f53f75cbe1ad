/** The field for writing a message. The room and a thread have one each. */
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
import { type DraftOptions, useDraft } from './use-draft.ts';
import { useSteadyCaret } from './use-steady-caret.ts';
import { type SuggestionField, SuggestionList, useSuggestions } from './use-suggestions.tsx';

export interface MessageFormProps extends Pick<Offer, 'names' | 'ownId'>, DraftOptions {
  /** Distinguishes the forms of one page. */
  id: string;
  label: string;
  placeholder: string;
  /** `pause`: the user can write the next message but not send it yet. */
  gate: 'open' | 'pause' | 'shut';
  /** The hint about the gate, and its style. */
  hint: string;
  hintClass: string;
  takesFocus: boolean;
  mayMentionRoom: boolean;
  typing: TypingSender;
  /** As in `SuggestionOptions`. */
  owner: object;
  /** @throws MaruError if the text cannot be queued. */
  onSend: (text: string, mentions: string[]) => void;
  /** Called for the key that edits the last message: Up in an empty field. */
  onEditLast: () => void;
  /** A user to mention, chosen outside the form, for example in a person card. */
  mention: UserRef | null;
  onMentioned: () => void;
}

export function MessageForm(props: MessageFormProps) {
  const { id, label, placeholder, gate, hint, hintClass, takesFocus, typing, onSend, onEditLast } = props;
  const { t } = useWords();
  const { enterSends } = usePreferences();
  const [text, write, restored] = useDraft(props);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const change = (next: string) => {
    write(next);
    setProblem(null);
    typing.onInput(next.trim() === '');
  };
  // Before the suggestions, which may place the caret elsewhere.
  useSteadyCaret(field, text);
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
    restored.current = '';
    setProblem(null);
    write('');
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
      // Screen readers would announce a countdown each second.
      aria-live={props.isCounting ? 'off' : 'polite'}
    >
      {props.notice ?? props.hint}
    </p>
  );
}

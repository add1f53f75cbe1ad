import { type ChatClient, codePointCount, systemScheduler, textProblem } from '@maru/client';
import { MaruError } from '@maru/protocol/errors';
import { LIMITS } from '@maru/protocol/limits';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useMedia } from '../hooks.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { SendIcon } from '../icons.tsx';
import { isSendKey } from '../model/enter-key.ts';
import { createTypingSender } from '../model/typing.ts';
import type { RoomStore, RoomView } from './room-store.ts';
import { useWriteGate, wordsOfGate } from './write-gate.tsx';

export interface ComposerProps {
  client: ChatClient;
  room: string;
  store: RoomStore;
  view: RoomView;
}

export function Composer({ client, room, store, view }: ComposerProps) {
  const { language, t } = useWords();
  const gate = useWriteGate(view);
  const gateWords = wordsOfGate(gate, view.details, t, language);
  const gateClass = gate.kind !== 'open' ? 'composer-gate' : gateWords !== null ? 'hint composer-pace' : 'hint';
  // During a pause the next message can be written already.
  const isShut = gate.kind === 'read-only' || gate.kind === 'muted';
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const hasKeyboard = useMedia('(hover: hover) and (pointer: fine)');
  const typing = useMemo(
    () => createTypingSender(systemScheduler, (active) => client.setTyping(room, active)),
    [client, room],
  );
  useEffect(() => () => typing.stop(), [typing]);
  // On a phone, focus would open the keyboard over the messages.
  useEffect(() => {
    if (hasKeyboard) field.current?.focus();
  }, [hasKeyboard]);

  const isTooLong = textProblem(text) === 'too_long';
  const over = isTooLong ? codePointCount(text.trim()) - LIMITS.textCodePointsMax : 0;

  const send = () => {
    if (gate.kind !== 'open' || textProblem(text) !== null) return;
    try {
      store.send(text);
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      setProblem(error.code === 'unavailable' ? t.outboxFull : wordsOfError(t, error.code));
      return;
    }
    setProblem(null);
    setText('');
    typing.stop();
    field.current?.focus();
  };

  const notice = problem ?? (isTooLong ? (over > 0 ? t.overLimit(over) : t.errorTooLarge) : null);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="composer-box" data-invalid={isTooLong} data-gate={gate.kind}>
        <textarea
          ref={field}
          id="message-input"
          data-testid="message-input"
          class="composer-field"
          dir="auto"
          rows={Math.min(8, text.split('\n').length)}
          disabled={isShut}
          placeholder={isShut ? '' : t.composerPlaceholder}
          aria-label={t.composerLabel(room)}
          aria-describedby="composer-hint"
          aria-invalid={isTooLong}
          value={text}
          onInput={(event) => {
            const next = event.currentTarget.value;
            setText(next);
            setProblem(null);
            typing.onInput(next.trim() === '');
          }}
          onKeyDown={(event) => {
            if (!isSendKey(event)) return;
            event.preventDefault();
            send();
          }}
        />
        <button
          type="submit"
          class="send-button"
          data-testid="send-button"
          aria-label={t.send}
          title={t.send}
          disabled={gate.kind !== 'open' || textProblem(text) !== null}
        >
          <SendIcon />
        </button>
      </div>
      <p
        id="composer-hint"
        class={`composer-hint ${notice !== null ? 'field-error' : gateClass}`}
        data-testid="composer-hint"
        // A countdown would be read out each second.
        aria-live={gate.kind === 'slow' ? 'off' : 'polite'}
      >
        {notice ?? gateWords ?? (hasKeyboard ? t.composerHint : '')}
      </p>
    </form>
  );
}

/** The pinned messages of the room, and its notification rule. */
import { mayDo } from '@maru/client';
import type { ActOutcome, Conversation, Message } from '@maru/client/conversation';
import type { Notify } from '@maru/protocol/events';
import { useEffect, useState } from 'preact/hooks';
import { untilText } from '../chat/until-text.ts';
import { useWatched } from '../hooks.ts';
import { useSection } from '../i18n/index.ts';
import { Outcome, Section, textOf } from '../moderation/fields.tsx';
import type { ViewProps } from '../moderation/target.ts';
import { must, useAct } from '../moderation/use-act.ts';
import { useLocale } from '../settings/locale.ts';
import { MessageText } from '../text/message-text.tsx';
import './conversation.css';

export function AboutView(props: ViewProps) {
  const words = useSection('conversation');
  return (
    <>
      <Section title={words.pins} testId="section-pins" isOpen>
        <PinsList {...props} />
      </Section>
      <Section title={words.notify} testId="section-notify" isOpen>
        <NotifyForm {...props} />
      </Section>
    </>
  );
}

type Pins = ReturnType<Conversation['pins']>;

function PinsList(props: ViewProps) {
  const { conversation } = props.store;
  const [pins, setPins] = useState<Pins | null>(null);
  useEffect(() => {
    const opened = conversation.pins();
    setPins(opened);
    return () => opened.close();
  }, [conversation]);
  return pins === null ? null : <PinnedMessages {...props} pins={pins} />;
}

function PinnedMessages(props: ViewProps & { pins: Pins }) {
  const { pins, store, details } = props;
  const words = useSection('conversation');
  const { isReady, messages } = useWatched(pins);
  const { state, run } = useAct({ forbidden: words.notAllowed, not_found: words.gone });
  const mayPin = mayDo('pin', { ownRole: details.role, visibility: details.visibility });
  const unpin = (seq: number): Promise<ActOutcome> => store.conversation.pin(seq, false);
  if (messages.length === 0) return <p class="hint">{isReady ? words.noPins : words.loading}</p>;
  return (
    <>
      <ul class="sheet-list">
        {messages.map((message) => (
          <PinnedMessage
            key={message.seq}
            {...props}
            message={message}
            onUnpin={mayPin ? () => void run(() => must(unpin(message.seq))) : null}
          />
        ))}
      </ul>
      <Outcome state={state} done="" />
    </>
  );
}

function PinnedMessage(props: ViewProps & { message: Message; onUnpin: (() => void) | null }) {
  const { message, store, names, ownId, onClose, onShowMessage, onUnpin } = props;
  const locale = useLocale();
  const words = useSection('conversation');
  const name = message.from.name;
  return (
    <li class="report" data-testid="pinned-message" data-seq={message.seq}>
      <p class="hint">
        <bdi>{name}</bdi> · {untilText(message.ts, 0, locale)}
      </p>
      <blockquote>
        <MessageText
          {...{ names, ownId }}
          text={message.text}
          mentions={message.mentions ?? []}
          foldKey={`pin ${store.room} ${message.seq}`}
        />
      </blockquote>
      <div class="sheet-submit">
        <button
          type="button"
          class="quiet-button"
          data-testid="show-pinned"
          aria-label={words.showOf(name)}
          onClick={() => {
            onClose();
            onShowMessage(message.seq);
          }}
        >
          {words.showInRoom}
        </button>
        {onUnpin !== null && (
          <button
            type="button"
            class="quiet-button"
            data-testid="unpin"
            aria-label={words.unpinOf(name)}
            onClick={(event) => {
              // The row disappears, so move the focus.
              event.currentTarget.closest('details')?.querySelector('summary')?.focus();
              onUnpin();
            }}
          >
            {words.unpin}
          </button>
        )}
      </div>
    </li>
  );
}

type Choice = 'off' | Notify;

function NotifyForm({ store, myRooms, details }: ViewProps) {
  const words = useSection('conversation');
  useWatched(myRooms);
  const { state, run } = useAct({ conflict: words.listFull, forbidden: words.notAllowed });
  const now: Choice = myRooms.room(store.room)?.notify ?? 'off';
  const LABELS: Record<Choice, string> = {
    all: words.notifyAll,
    mentions: words.notifyMentions,
    none: words.notifyNone,
    off: words.notifyOff,
  };
  // A room of which the user is a member cannot be removed from the list.
  const choices: Choice[] = ['all', 'mentions', 'none', ...(details.visibility === 'public' ? ['off' as const] : [])];
  const submit = (event: Event) => {
    event.preventDefault();
    const choice = textOf(event.currentTarget as HTMLFormElement, 'notify') as Choice;
    void run(() => (choice === 'off' ? myRooms.unfollow(store.room) : myRooms.follow(store.room, choice)));
  };
  return (
    <form class="sheet-form" data-testid="notify-form" onSubmit={submit}>
      <fieldset class="choices">
        <legend class="sr-only">{words.notify}</legend>
        {choices.map((choice) => (
          <label key={`${choice} ${now}`} class="choice">
            <input type="radio" name="notify" value={choice} defaultChecked={choice === now} />
            {LABELS[choice]}
          </label>
        ))}
      </fieldset>
      <div class="sheet-submit">
        <button type="submit" class="primary-button" data-testid="notify-submit" disabled={state.kind === 'busy'}>
          {words.save}
        </button>
        <Outcome state={state} done={words.saved} />
      </div>
    </form>
  );
}

import { type ChatClient, systemScheduler } from '@maru/client';
import { useMemo } from 'preact/hooks';
import { type Editing, lastOwn } from '../conversation/editing.ts';
import type { MentionRequest } from '../conversation/use-acts.ts';
import { useMedia } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { createTypingSender } from '../model/typing.ts';
import { useLocale } from '../settings/locale.ts';
import { usePreferences } from '../settings/use-preferences.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { RoomView } from '../workspace/room-view.ts';
import { MessageForm } from './message-form.tsx';
import { useWriteGate, wordsOfGate } from './write-gate.tsx';

export interface ComposerProps {
  client: ChatClient;
  /** The name of the room that the reader sees. */
  name: string;
  store: RoomStore;
  view: RoomView;
  ownId: string;
  onEdit: (editing: Editing) => void;
  mention: MentionRequest | null;
  onMentioned: () => void;
}

export function Composer({ client, name, store, view, ownId, onEdit, mention, onMentioned }: ComposerProps) {
  const { t } = useWords();
  const { enterSends } = usePreferences();
  const locale = useLocale();
  const { room, conversation } = store;
  const gate = useWriteGate(view);
  const gateWords = wordsOfGate(gate, view.details, t, locale);
  const isShut = gate.kind === 'read-only' || gate.kind === 'muted';
  // On a phone, focus opens the on-screen keyboard, which covers the messages.
  const hasKeyboard = useMedia('(hover: hover) and (pointer: fine)');
  const typing = useMemo(
    () => createTypingSender(systemScheduler, (active) => client.setTyping(room, active)),
    [client, room],
  );
  return (
    <MessageForm
      id="message"
      label={t.composerLabel(name)}
      placeholder={isShut ? '' : t.composerPlaceholder}
      gate={isShut ? 'shut' : gate.kind === 'slow' ? 'pause' : 'open'}
      hint={gateWords ?? (hasKeyboard ? (enterSends ? t.composerHint : t.composerHintCtrl) : '')}
      hintClass={gate.kind !== 'open' ? 'composer-gate' : gateWords !== null ? 'hint composer-pace' : 'hint'}
      takesFocus={hasKeyboard}
      mayMentionRoom={view.details !== null && view.details.role !== 'member'}
      names={view.names}
      ownId={ownId}
      typing={typing}
      draft={conversation.draft('room')}
      readDraft={() => conversation.draft('room')}
      owner={conversation}
      onDraft={(text) => conversation.setDraft('room', text)}
      mention={mention?.isInThread === false ? mention.user : null}
      onMentioned={onMentioned}
      onSend={store.send}
      onEditLast={() => {
        const last = lastOwn(view.list, ownId);
        if (last !== null) onEdit({ seq: last.seq, isInThread: false });
      }}
    />
  );
}

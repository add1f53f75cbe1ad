import { type ChatClient, systemScheduler } from '@maru/client';
import { useMemo } from 'preact/hooks';
import { useMedia } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { createTypingSender } from '../model/typing.ts';
import { MessageForm } from './message-form.tsx';
import type { RoomStore } from './room-store.ts';
import type { RoomView } from './room-view.ts';
import { useWriteGate, wordsOfGate } from './write-gate.tsx';

export interface ComposerProps {
  client: ChatClient;
  /** As the reader knows the room. */
  name: string;
  store: RoomStore;
  view: RoomView;
  ownId: string;
}

export function Composer({ client, name, store, view, ownId }: ComposerProps) {
  const { language, t } = useWords();
  const { room, conversation } = store;
  const gate = useWriteGate(view);
  const gateWords = wordsOfGate(gate, view.details, t, language);
  const isShut = gate.kind === 'read-only' || gate.kind === 'muted';
  // On a phone, focus would open the keyboard over the messages.
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
      hint={gateWords ?? (hasKeyboard ? t.composerHint : '')}
      hintClass={gate.kind !== 'open' ? 'composer-gate' : gateWords !== null ? 'hint composer-pace' : 'hint'}
      takesFocus={hasKeyboard}
      mayMentionRoom={view.details !== null && view.details.role !== 'member'}
      names={view.names}
      ownId={ownId}
      typing={typing}
      draft={conversation.draft('room')}
      onDraft={(text) => conversation.setDraft('room', text)}
      onSend={store.send}
    />
  );
}

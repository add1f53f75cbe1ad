/** What is open around a room: dialogs, panels, a thread, and where the list should scroll. */
import type { Conversations, Message } from '@maru/client/conversation';
import { MaruError } from '@maru/protocol/errors';
import type { UserRef } from '@maru/protocol/events';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { DialogTarget } from '../moderation/target.ts';
import type { RowActions } from './message-row.tsx';
import type { RoomStore } from './room-store.ts';

/** What the dialog is about; null while it is closed. Outside a room it only makes new rooms. */
export function useDialog(isInRoom: boolean) {
  const [target, setTarget] = useState<DialogTarget | null>(null);
  const closeDialog = useCallback(() => setTarget(null), []);
  const onMessageMenu = useCallback(
    (message: Message) => setTarget({ view: 'person', user: message.from, message }),
    [],
  );
  useEffect(() => {
    if (!isInRoom) setTarget((now) => (now?.view === 'create' ? now : null));
  }, [isInRoom]);
  return { target, setTarget, closeDialog, onMessageMenu };
}

/** The thread that is open beside the room, and a message that the list should show. */
export function usePlaces(store: RoomStore, isInRoom: boolean) {
  const [thread, setThread] = useState<number | null>(null);
  const [shown, setShown] = useState<number | null>(null);
  useEffect(() => {
    if (!isInRoom) setThread(null);
  }, [isInRoom]);
  const showMessage = useCallback(
    (seq: number) => {
      const isLoaded = store.conversation.get().messages.some((message) => message.seq === seq);
      if (!isLoaded) store.conversation.jumpTo(seq);
      setShown(seq);
    },
    [store],
  );
  return { thread, setThread, shown, setShown, showMessage };
}

export function useRowActions(
  store: RoomStore,
  onMenu: (message: Message) => void,
  onThread: (root: number) => void,
): RowActions {
  return useMemo(
    () => ({
      onRetry: store.retry,
      onDiscard: store.discard,
      onMenu,
      onThread,
      onReact: (seq, emoji, active) => store.note(store.conversation.react(seq, emoji, active)),
    }),
    [store, onMenu, onThread],
  );
}

/** Opens the direct room with a person. */
export function useDirect(conversations: Conversations, goTo: (room: string) => void) {
  const [hasFailed, setFailed] = useState(false);
  const openDirect = (user: UserRef) => {
    setFailed(false);
    conversations.openDirect(user.id).then(
      ({ room }) => goTo(room),
      (error: unknown) => {
        if (!(error instanceof MaruError)) throw error;
        setFailed(true);
      },
    );
  };
  return { hasFailed, dismiss: () => setFailed(false), openDirect };
}

/** What is open around a room: dialogs, panels and a thread. */
import type { Conversations } from '@maru/client/conversation';
import { MaruError } from '@maru/protocol/errors';
import type { UserRef } from '@maru/protocol/events';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ThreadPlace } from '../conversation/thread-place.ts';
import type { DialogTarget } from '../moderation/target.ts';
import type { RoomStore } from '../workspace/room-store.ts';

export interface Dialog {
  /** What the dialog is about; null while it is closed. */
  target: DialogTarget | null;
  setTarget: (target: DialogTarget | null) => void;
  closeDialog: () => void;
}

/** All views need the room on the screen, except the one that creates a room. */
export function useDialog(store: RoomStore | null): Dialog {
  const [target, setTarget] = useState<DialogTarget | null>(null);
  const closeDialog = useCallback(() => setTarget(null), []);
  useEffect(() => {
    const stays = (now: DialogTarget | null) =>
      now?.view === 'create' || (now?.view === 'room' && now.room !== undefined && now.room === store?.room);
    setTarget((now) => (stays(now) ? now : null));
  }, [store]);
  return useMemo(() => ({ target, setTarget, closeDialog }), [target, closeDialog]);
}

/**
 * The open thread of each room, with its scroll position. It is kept while another room is shown.
 */
export function useThread(room: string, isInRoom: boolean) {
  const [threads, setThreads] = useState<ReadonlyMap<string, number>>(new Map());
  const places = useRef(new Map<string, ThreadPlace>());
  const setThread = useCallback(
    (root: number | null) =>
      setThreads((before) => {
        const next = new Map(before);
        if (root === null) next.delete(room);
        else next.set(room, root);
        return next;
      }),
    [room],
  );
  const thread = isInRoom ? (threads.get(room) ?? null) : null;
  const key = `${room} ${thread}`;
  const place = places.current.get(key) ?? { anchor: null };
  if (thread !== null) places.current.set(key, place);
  return { thread, setThread, threadPlace: place };
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

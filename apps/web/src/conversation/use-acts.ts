/** Acts of the reader on messages, and what is open about a message: a menu or the edit form. */
import type { Message } from '@maru/client/conversation';
import type { UserRef } from '@maru/protocol/events';
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks';
import { useStateOf } from '../hooks.ts';
import { pathOf } from '../model/route.ts';
import type { DialogTarget } from '../moderation/target.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import { copyText } from './copy-text.ts';
import { type EditActs, type Editing, useEditing } from './editing.ts';
import type { Popup, RowActions } from './popup.ts';

/** How long a deletion can be undone. */
const UNDO_MS = 5_000;

export interface UndoActs {
  take: (seq: number) => void;
  /** True once after the deletion of the message: the menu that had the focus is gone. */
  takesFocus: (seq: number) => boolean;
}

/** A new object for each request, so that the same user can be mentioned twice. */
export interface MentionRequest {
  user: UserRef;
  isInThread: boolean;
}

export interface MessageActs extends RowActions {
  edit: EditActs;
  onEdit: (editing: Editing) => void;
  /** Deletes an own message, with an undo. For another user's message, asks first. */
  onRemove: (message: Message) => void;
  undo: UndoActs;
  onPin: (seq: number, active: boolean) => void;
  /** Inserts a mention into the field of the room or of the thread. */
  onMention: (mention: MentionRequest) => void;
  onCopy: (text: string) => void;
  onCopyLink: (seq: number) => void;
  onDialog: (target: DialogTarget) => void;
}

export interface ActsOptions {
  store: RoomStore;
  ownId: string;
  onDialog: (target: DialogTarget) => void;
  onThread: (root: number) => void;
}

export function useActs({ store, ownId, onDialog, onThread }: ActsOptions) {
  const { room, conversation } = store;
  const [popup, setPopup] = useStateOf<Popup | null>(store, null);
  /** A new object for each copy, so that screen readers announce it again. */
  const [copied, setCopied] = useStateOf<{ isDone: boolean } | null>(store, null);
  const [mention, setMention] = useStateOf<MentionRequest | null>(store, null);
  const closePopup = useCallback(() => setPopup(null), [setPopup]);
  const { editing, start, edit } = useEditing(conversation, store);
  const justDeleted = useRef<number | null>(null);
  useEffect(() => conversation.sendHeld, [conversation]);
  const acts = useMemo((): MessageActs => {
    const copy = (text: string) => void copyText(text).then((isDone) => setCopied({ isDone }));
    return {
      edit,
      onDialog,
      onThread,
      onRetry: store.retry,
      onDiscard: store.discard,
      onPopup: setPopup,
      onReact: (seq, emoji, active) => store.note('react', conversation.react(seq, emoji, active)),
      onPin: (seq, active) => store.note('pin', conversation.pin(seq, active)),
      onEdit: start,
      onRemove: (message) => {
        if (message.from.id !== ownId) return onDialog({ view: 'erase', message });
        justDeleted.current = message.seq;
        store.note('delete', conversation.deleteLater(message.seq, UNDO_MS));
      },
      undo: {
        take: (seq) => conversation.undoDelete(seq),
        takesFocus: (seq) => {
          const takes = justDeleted.current === seq;
          if (takes) justDeleted.current = null;
          return takes;
        },
      },
      onMention: setMention,
      onCopy: copy,
      onCopyLink: (seq) => copy(`${location.origin}${pathOf({ room, seq })}`),
    };
  }, [room, conversation, store, ownId, edit, start, onDialog, onThread]);
  const onMentioned = useCallback(() => setMention(null), [setMention]);
  const forgetCopied = useCallback(() => setCopied(null), [setCopied]);
  return { acts, popup, closePopup, editing, mention, onMentioned, copied, forgetCopied };
}

export type Acts = ReturnType<typeof useActs>;

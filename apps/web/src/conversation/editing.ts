/** The own message that the user edits: at most one, in the room or in a thread. */
import type { Conversation, Message, MessageList } from '@maru/client/conversation';
import { useMemo, useRef } from 'preact/hooks';
import { useStateOf } from '../hooks.ts';
import type { RoomStore } from '../workspace/room-store.ts';

export interface Editing {
  seq: number;
  isInThread: boolean;
}

export interface EditActs {
  /** The unfinished edit, or else the text of the message. */
  draft: (message: Message) => string;
  setDraft: (message: Message, text: string) => void;
  /** True once for each edit. A row that is rendered again does not take the focus. */
  takesFocus: () => boolean;
  save: (message: Message, text: string, mentions: string[]) => void;
  cancel: () => void;
}

export interface EditingState {
  editing: Editing | null;
  start: (editing: Editing) => void;
  edit: EditActs;
}

/** The newest own message, if the end of the list is loaded. */
export function lastOwn({ messages, hasNewer }: Pick<MessageList, 'messages' | 'hasNewer'>, ownId: string) {
  if (hasNewer) return null;
  return messages.findLast(({ from, deleted }) => from.id === ownId && deleted === null) ?? null;
}

/** Moves the focus back to the composer. */
function focusComposer(isInThread: boolean): void {
  const fields = isInThread ? '#reply-input, #message-input' : '#message-input';
  const field = document.querySelector<HTMLElement>(fields);
  const log = document.querySelector<HTMLElement>('.log');
  (field?.matches(':disabled') === false ? field : log)?.focus();
}

export function useEditing(conversation: Conversation, { note }: Pick<RoomStore, 'note'>): EditingState {
  const [editing, setEditing] = useStateOf<Editing | null>(conversation, null);
  const now = useRef(editing);
  now.current = editing;
  const isNew = useRef(false);
  return {
    editing,
    ...useMemo(() => {
      const end = () => {
        const isInThread = now.current?.isInThread ?? false;
        setEditing(null);
        focusComposer(isInThread);
      };
      const setDraft = ({ seq }: Message, text: string) => conversation.setDraft({ edit: seq }, text);
      const edit: EditActs = {
        draft: ({ seq, text }) => conversation.draft({ edit: seq }) || text,
        setDraft: (message, text) => setDraft(message, text === message.text ? '' : text),
        takesFocus: () => {
          const takes = isNew.current;
          isNew.current = false;
          return takes;
        },
        save: (message, text, mentions) => {
          setDraft(message, '');
          end();
          if (text.trim() === message.text) return;
          const sent = conversation.edit(message.seq, text, mentions.length === 0 ? {} : { mentions });
          note('edit', sent);
        },
        cancel: () => {
          const seq = now.current?.seq;
          if (seq !== undefined) conversation.setDraft({ edit: seq }, '');
          end();
        },
      };
      const start = (next: Editing) => {
        isNew.current = true;
        setEditing(next);
      };
      return { start, edit };
    }, [conversation, note]),
  };
}

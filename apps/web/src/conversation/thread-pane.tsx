/** A thread beside the room: its root, its replies in pages, and a field for a reply. */
import { type ChatClient, systemScheduler } from '@maru/client';
import type { Thread, ThreadView } from '@maru/client/conversation';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useFormats } from '../chat/formats.ts';
import { MessageForm } from '../chat/message-form.tsx';
import { MessageRow } from '../chat/message-row.tsx';
import { TypingLine } from '../chat/typing-line.tsx';
import { useWriteGate, wordsOfGate } from '../chat/write-gate.tsx';
import { useMedia } from '../hooks.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { CloseIcon } from '../icons.tsx';
import { type Row, rowsOf } from '../model/rows.ts';
import { createTypingSender } from '../model/typing.ts';
import { useThrottled } from '../throttled.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { RoomView } from '../workspace/room-view.ts';
import './conversation.css';
import { IconButton } from '../icon-button.tsx';
import { type Editing, lastOwn } from './editing.ts';
import { onRowKey } from './row-keys.ts';
import { type ThreadPlace, useThreadPlace } from './thread-place.ts';
import type { MentionRequest, MessageActs } from './use-acts.ts';

export interface ThreadPaneProps {
  root: number;
  client: ChatClient;
  store: RoomStore;
  view: RoomView;
  ownId: string;
  ownName: string;
  isWaiting: boolean;
  actions: MessageActs;
  editing: Editing | null;
  mention: MentionRequest | null;
  place: ThreadPlace;
  onMentioned: () => void;
  /** Null if the frame around the pane has its own close button. */
  onClose: (() => void) | null;
}

function useThread({ store, root }: ThreadPaneProps): Thread | null {
  const [thread, setThread] = useState<Thread | null>(null);
  useEffect(() => {
    const opened = store.conversation.thread(root);
    setThread(opened);
    return () => opened.close();
  }, [store, root]);
  return thread;
}

export function ThreadPane(props: ThreadPaneProps) {
  const words = useSection('conversation');
  const thread = useThread(props);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  const { onClose } = props;
  return (
    <section
      class="thread"
      data-testid="thread"
      aria-label={words.thread}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.isComposing) onClose?.();
      }}
    >
      <header class="pane-head">
        <h2 ref={heading} tabIndex={-1}>
          {words.thread}
        </h2>
        {onClose !== null && (
          <IconButton data-testid="thread-close" label={words.closeThread} onClick={onClose}>
            <CloseIcon />
          </IconButton>
        )}
      </header>
      {thread !== null && <Replies {...props} thread={thread} />}
    </section>
  );
}

type RepliesProps = ThreadPaneProps & { thread: Thread };

function Replies(props: RepliesProps) {
  const { thread } = props;
  const { t } = useWords();
  const words = useSection('conversation');
  const list = useThrottled(thread);
  const { scroller, onScroll, leaveEnd } = useThreadPlace(props.place, thread, list);
  const loadOlder = () => {
    leaveEnd();
    scroller.current?.focus({ preventScroll: true });
    thread.loadOlder();
  };
  const isMissing = list.root === null && !list.isLoading;
  return (
    <>
      <div
        class="thread-log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable list must be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-live="polite"
        aria-label={words.replies}
        ref={scroller}
        onScroll={onScroll}
      >
        {isMissing && <p class="pane-note hint">{list.error === null ? words.noRoot : t.historyFailed}</p>}
        <Rows {...props} list={list} rootOnly />
        {list.hasOlder && (
          <p class="pane-note">
            <button
              type="button"
              class="quiet-button"
              data-testid="older-replies"
              disabled={list.isLoading}
              onClick={loadOlder}
            >
              {list.isLoading ? t.loadingOlder : words.olderReplies}
            </button>
          </p>
        )}
        {list.root !== null && list.error !== null && <p class="pane-note field-error">{t.historyFailed}</p>}
        <Rows {...props} list={list} />
      </div>
      <TypingLine typists={props.view.typists} thread={thread.root} />
      {list.root !== null && list.root.deleted === null && <ReplyForm {...props} list={list} />}
    </>
  );
}

/** The rows of the root alone, or of the replies. */
function Rows(props: RepliesProps & { list: ThreadView; rootOnly?: boolean }) {
  const { list, rootOnly = false, view, store, ownId, ownName, isWaiting, actions, editing } = props;
  const { language, t } = useWords();
  const formats = useFormats(language);
  const root = list.root === null ? [] : [list.root];
  const source = rootOnly ? { ...list, messages: root, outgoing: [], hasOlder: false } : list;
  const was = useRef<Row[]>([]);
  was.current = rowsOf(source, [], ownId, was.current);
  const rows = was.current.filter(
    (row): row is Extract<Row, { kind: 'message' | 'outgoing' }> => row.kind === 'message' || row.kind === 'outgoing',
  );
  if (rows.length === 0) return null;
  const stop = rows.findLast((row) => row.kind === 'message' && row.message.deleted === null)?.key;
  return (
    <ol
      class="messages"
      data-testid={rootOnly ? 'thread-root' : 'thread-replies'}
      data-room={store.room}
      onKeyDown={onRowKey}
    >
      {rows.map((row) => (
        <MessageRow
          key={row.key}
          {...{ row, ownId, isWaiting, formats, t, actions }}
          names={view.names}
          author={row.kind === 'message' ? row.message.from : { id: ownId, name: ownName }}
          isMenuStop={row.key === stop}
          isInThread
          isEditing={editing?.isInThread === true && row.kind === 'message' && row.message.seq === editing.seq}
        />
      ))}
    </ol>
  );
}

function ReplyForm(props: RepliesProps & { list: ThreadView }) {
  const { client, store, view, thread, list, ownId, actions, mention, onMentioned } = props;
  const { language, t } = useWords();
  const words = useSection('conversation');
  const gate = useWriteGate(view);
  const isShut = gate.kind === 'read-only' || gate.kind === 'muted';
  const hasKeyboard = useMedia('(hover: hover) and (pointer: fine)');
  const { room, conversation } = store;
  const draftOf = { thread: thread.root };
  const typing = useMemo(
    () => createTypingSender(systemScheduler, (active) => client.setTyping(room, active, thread.root)),
    [client, room, thread],
  );
  return (
    <MessageForm
      id="reply"
      label={words.replyLabel}
      placeholder={isShut ? '' : words.replyPlaceholder}
      gate={isShut ? 'shut' : gate.kind === 'slow' ? 'pause' : 'open'}
      hint={wordsOfGate(gate, view.details, t, language) ?? ''}
      hintClass={gate.kind === 'open' ? 'hint' : 'composer-gate'}
      takesFocus={hasKeyboard}
      mayMentionRoom={view.details !== null && view.details.role !== 'member'}
      names={view.names}
      ownId={ownId}
      typing={typing}
      draft={conversation.draft(draftOf)}
      readDraft={() => conversation.draft(draftOf)}
      owner={thread}
      onDraft={(text) => conversation.setDraft(draftOf, text)}
      onEditLast={() => {
        const last = lastOwn(list, ownId);
        if (last !== null) actions.onEdit({ seq: last.seq, isInThread: true });
      }}
      mention={mention?.isInThread ? mention.user : null}
      onMentioned={onMentioned}
      onSend={(text, mentions) => void thread.send(text, mentions.length === 0 ? {} : { mentions })}
    />
  );
}

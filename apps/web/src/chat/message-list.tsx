/**
 * The message list. It shows a slice of the room, which moves towards the oldest or the newest
 * message.
 */
import { systemScheduler } from '@maru/client';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Editing } from '../conversation/editing.ts';
import { onRowKey } from '../conversation/row-keys.ts';
import type { MessageActs } from '../conversation/use-acts.ts';
import { useLookedAt, useSelected } from '../hooks.ts';
import type { Catalogue } from '../i18n/catalogue.ts';
import { useWords } from '../i18n/index.ts';
import { readersOf } from '../model/readers.ts';
import { dayWord, type Row, rowsOf } from '../model/rows.ts';
import { useLocale } from '../settings/locale.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { RoomView } from '../workspace/room-view.ts';
import { ActRow } from './act-row.tsx';
import { Announcements } from './announcements.tsx';
import { useFormats } from './formats.ts';
import { JumpButton } from './jump-button.tsx';
import { Blank, JumpState, Newer, Older } from './list-ends.tsx';
import { useListScroll } from './list-scroll.ts';
import { MessageRow } from './message-row.tsx';

export interface MessageListProps {
  room: string;
  view: RoomView;
  store: RoomStore;
  ownId: string;
  ownName: string;
  isWaiting: boolean;
  actions: MessageActs;
  editing: Editing | null;
  /** Called when the reader asks for the newest message. */
  onNewest: () => void;
}

export function MessageList(props: MessageListProps) {
  const { view, store, ownId, onNewest } = props;
  const { t } = useWords();
  const { list, acts } = view;
  const was = useRef<Row[]>([]);
  const rows = useMemo(() => rowsOf(list, acts, ownId, was.current), [list, acts, ownId]);
  was.current = rows;
  const { box, content, scroll } = useListScroll(list, store);
  const isOpening = useSelected(scroll, (position) => position.isOpening);
  const isHidden = useSelected(scroll, (position) => position.isHidden);
  const isAtEnd = useSelected(scroll, (position) => position.isAtEnd);
  const isReading = useLookedAt() && isAtEnd && !isOpening && !list.hasNewer && !list.jump.isLoading;
  useEffect(() => store.setReading(isReading), [store, isReading]);

  /** Keeps the focus if the pressed button becomes disabled or disappears. */
  const fromButton = (act: () => void) => () => {
    box.current?.focus({ preventScroll: true });
    act();
  };
  const toNewest = () => {
    store.jumpTo('newest');
    onNewest();
    scroll.toEnd();
  };

  const isEmpty = rows.length === 0;
  return (
    <div class="log-frame">
      <div
        class={isHidden ? 'log opening' : 'log'}
        role="log"
        aria-live="off"
        aria-label={t.messages}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable list must be reachable by keyboard
        tabIndex={0}
        data-region="messages"
        ref={box}
        onScroll={scroll.onScroll}
      >
        {isEmpty && <Blank isJoining={view.entered.kind === 'joining' || !list.isReady} t={t} />}
        <div class="log-content" ref={content}>
          {!isEmpty && <Older view={view} t={t} onLoad={fromButton(store.loadOlder)} />}
          <Rows {...props} rows={rows} />
          {!isEmpty && <Newer view={view} t={t} onLoad={fromButton(store.conversation.loadNewer)} />}
        </div>
      </div>
      <JumpState {...{ view, store, t }} />
      <JumpButton {...{ list, scroll }} onLine={fromButton(scroll.toLine)} onNewest={fromButton(toNewest)} />
      <Announcements announcements={view.announcements} />
    </div>
  );
}

function Rows(props: MessageListProps & { rows: Row[] }) {
  const { rows, room, store, view, ownId, ownName, isWaiting, actions, editing } = props;
  const { language, t } = useWords();
  const locale = useLocale();
  const { names, list } = view;
  const formats = useFormats(language);
  // All message menus share one Tab stop. Arrow keys move between them.
  const lastWithMenu = rows.findLast((row) => row.kind === 'message' && row.message.deleted === null)?.key;
  // A user who has read the newest own message has also read the earlier ones.
  const lastOwn = list.messages.findLast(({ from, deleted }) => from.id === ownId && deleted === null);
  return (
    <ol class="messages" data-testid="messages" data-room={room} onKeyDown={onRowKey}>
      {rows.map((row) => {
        if (row.kind === 'day') {
          return (
            <li key={row.key} class="day">
              <span>{dayText(row.ts, language, t)}</span>
            </li>
          );
        }
        if (row.kind === 'unread') {
          return (
            <li key={row.key} class="unread" data-testid="unread-line">
              <span>{t.newMessages}</span>
            </li>
          );
        }
        if (row.kind === 'act') return <ActRow key={row.key} entry={row.entry} {...{ names, locale, t }} />;
        const { thread } = row.message;
        return (
          <MessageRow
            key={row.key}
            {...{ row, ownId, isWaiting, formats, names, t, actions }}
            author={row.kind === 'message' ? row.message.from : { id: ownId, name: ownName }}
            isMenuStop={row.key === lastWithMenu}
            isPlace={row.kind === 'message' && list.place?.isLine === false && row.message.seq === list.place.seq}
            isEditing={isEdited(editing, row)}
            replyTo={typeof thread === 'number' ? store.conversation.message(thread) : null}
            readBy={row.message === lastOwn ? readersOf(list.readers, lastOwn, ownId) : 0}
          />
        );
      })}
    </ol>
  );
}

const isEdited = (editing: Editing | null, row: Row): boolean =>
  row.kind === 'message' && editing?.seq === row.message.seq && !editing.isInThread;

function dayText(ts: number, language: string, t: Catalogue): string {
  const word = dayWord(ts, systemScheduler.wallNow());
  if (word.kind === 'today') return t.today;
  if (word.kind === 'yesterday') return t.yesterday;
  return new Intl.DateTimeFormat(language, { dateStyle: 'full' }).format(word.ts);
}

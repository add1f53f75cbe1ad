/**
 * The message list. It follows new messages while the reader is at the end, and does not move
 * otherwise.
 */
import { systemScheduler } from '@maru/client';
import type { Entry } from '@maru/protocol/events';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useVisible } from '../hooks.ts';
import type { Catalogue } from '../i18n/en.ts';
import { useWords } from '../i18n/index.ts';
import { DownIcon } from '../icons.tsx';
import type { Announcement } from '../model/announcement.ts';
import type { Names } from '../model/names.ts';
import { dayWord, type Row, rowsOf } from '../model/rows.ts';
import { olderState } from '../model/timeline.ts';
import { ActRow } from './act-row.tsx';
import { MessageRow } from './message-row.tsx';
import type { RoomStore, RoomView } from './room-store.ts';
import { onMenuKey } from './row-menu.ts';

/** Distance from the end that still counts as the end. */
const END_PX = 48;

export interface MessageListProps {
  room: string;
  view: RoomView;
  store: RoomStore;
  ownId: string;
  ownName: string;
  isWaiting: boolean;
  onMenu: (entry: Entry) => void;
}

export function MessageList({ room, view, store, ownId, ownName, isWaiting, onMenu }: MessageListProps) {
  const { language, t } = useWords();
  const { timeline } = view;
  const rows = useMemo(() => rowsOf(timeline, ownId), [timeline, ownId]);
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const isVisible = useVisible();
  const atEnd = useRef(true);
  const before = useRef<{ oldestSeq: number | null; height: number }>({ oldestSeq: null, height: 0 });

  useEffect(() => store.setReading(isAtEnd && isVisible), [store, isAtEnd, isVisible]);

  const toEnd = useCallback(() => {
    const box = scroller.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }, []);

  // After each render: rows added above must not move the visible rows, and at the end the list
  // stays at the end.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const oldestSeq = timeline.entries[0]?.seq ?? null;
    const { oldestSeq: was, height } = before.current;
    if (atEnd.current) box.scrollTop = box.scrollHeight;
    else if (was !== null && oldestSeq !== null && oldestSeq < was) box.scrollTop += box.scrollHeight - height;
    before.current = { oldestSeq, height: box.scrollHeight };
  });

  // An on-screen keyboard or a banner shortens the list. The end stays visible.
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const lastOutgoing = timeline.outgoing.at(-1)?.clientMsgId;
  // Show the own message after sending.
  useEffect(() => {
    if (lastOutgoing !== undefined) toEnd();
  }, [lastOutgoing, toEnd]);

  const onScroll = () => {
    const box = scroller.current;
    if (box === null) return;
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight <= END_PX;
    setAtEnd(atEnd.current);
    if (box.scrollTop === 0 && box.scrollHeight > box.clientHeight && view.older === 'idle') void store.loadOlder();
  };

  const isEmpty = rows.length === 0;
  return (
    <div class="log-frame">
      <div
        class="log"
        role="log"
        aria-live="off"
        aria-label={t.messages}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable list must be reachable by keyboard
        tabIndex={0}
        ref={scroller}
        onScroll={onScroll}
      >
        {!isEmpty && <Older view={view} t={t} onLoad={() => void store.loadOlder()} />}
        {isEmpty && <Blank isJoining={view.entered.kind === 'joining'} t={t} />}
        <Rows {...{ rows, room, ownId, ownName, isWaiting, store, language, t, onMenu }} names={view.names} />
      </div>
      {!isAtEnd && (
        <button type="button" class="jump" data-testid="jump-button" onClick={toEnd}>
          <DownIcon />
          {timeline.unreadCount > 0 ? t.newCount(timeline.unreadCount) : t.jumpToLatest}
        </button>
      )}
      <Announcer announcement={view.announcement} t={t} />
    </div>
  );
}

function Blank({ isJoining, t }: { isJoining: boolean; t: Catalogue }) {
  if (isJoining) {
    return (
      <div class="blank">
        <p>{t.joining}</p>
      </div>
    );
  }
  return (
    <div class="blank">
      <h2>{t.emptyTitle}</h2>
      <p>{t.emptyDetail}</p>
    </div>
  );
}

interface RowsProps extends Pick<MessageListProps, 'room' | 'store' | 'ownId' | 'ownName' | 'isWaiting' | 'onMenu'> {
  rows: Row[];
  names: Names;
  language: string;
  t: Catalogue;
}

function Rows({ rows, room, store, ownId, ownName, isWaiting, language, t, names, onMenu }: RowsProps) {
  // One stop of the Tab key for all menus; the arrow keys move between them.
  const lastWithMenu = rows.findLast((row) => row.kind === 'message' && !row.isOwn)?.key;
  const formats = useMemo(
    () => ({
      time: new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }),
      short: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
      full: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'medium' }),
    }),
    [language],
  );
  return (
    <ol class="messages" data-testid="messages" data-room={room} onKeyDown={onMenuKey}>
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
        if (row.kind === 'act') return <ActRow key={row.key} entry={row.entry} {...{ names, language, t }} />;
        const isOwn = row.kind === 'outgoing' || row.isOwn;
        const author = row.kind === 'message' ? row.entry.from : { id: ownId, name: ownName };
        return (
          <MessageRow
            key={row.key}
            {...{ row, author, isOwn, isWaiting, formats, t }}
            onRetry={store.retry}
            onDiscard={store.discard}
            onMenu={onMenu}
            isMenuStop={row.key === lastWithMenu}
          />
        );
      })}
    </ol>
  );
}

function dayText(ts: number, language: string, t: Catalogue): string {
  const word = dayWord(ts, systemScheduler.wallNow());
  if (word.kind === 'today') return t.today;
  if (word.kind === 'yesterday') return t.yesterday;
  return new Intl.DateTimeFormat(language, { dateStyle: 'full' }).format(word.ts);
}

function Older({ view, t, onLoad }: { view: RoomView; t: Catalogue; onLoad: () => void }) {
  const state = olderState(view.timeline);
  const notice = view.timeline.notice === 'gap' ? t.gap : view.timeline.notice === 'rolled-back' ? t.rolledBack : null;
  return (
    <div class="older">
      {state === 'more' ? (
        <button
          type="button"
          class="quiet-button"
          data-testid="older-button"
          disabled={view.older === 'loading'}
          onClick={onLoad}
        >
          {view.older === 'loading' ? t.loadingOlder : t.loadOlder}
        </button>
      ) : (
        <p class="hint">{state === 'beginning' ? t.beginning : state === 'capped' ? t.olderCapped : t.oldestKept}</p>
      )}
      {view.older === 'failed' && (
        <p class="field-error" role="alert">
          {t.historyFailed}
        </p>
      )}
      {notice !== null && (
        <p class="slice-notice" data-testid="slice-notice">
          {notice}
        </p>
      )}
    </div>
  );
}

/**
 * Announces new messages at the end. The list itself is not live, because older pages are added at
 * its top.
 */
function Announcer({ announcement, t }: { announcement: Announcement | null; t: Catalogue }) {
  return (
    <div class="sr-only" aria-live="polite">
      {announcement !== null && (
        <p key={announcement.id}>
          {announcement.kind === 'many' ? t.newCount(announcement.count) : `${announcement.name}: ${announcement.text}`}
        </p>
      )}
    </div>
  );
}

/**
 * The message list. It follows new messages while the reader is at the end, and does not move
 * otherwise.
 */
import { systemScheduler } from '@maru/client';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useVisible } from '../hooks.ts';
import type { Catalogue } from '../i18n/en.ts';
import { useWords } from '../i18n/index.ts';
import { DownIcon } from '../icons.tsx';
import type { Announcement } from '../model/announcement.ts';
import { olderState } from '../model/older.ts';
import { readersOf } from '../model/readers.ts';
import { dayWord, type Row, rowsOf } from '../model/rows.ts';
import { ActRow } from './act-row.tsx';
import { type Formats, MessageRow, type RowActions } from './message-row.tsx';
import type { RoomStore } from './room-store.ts';
import type { RoomView } from './room-view.ts';
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
  actions: RowActions;
  /** A message to scroll to once it is loaded. */
  target: number | null;
  onTargetShown: () => void;
}

export function MessageList(props: MessageListProps) {
  const { view, store, ownId, target, onTargetShown } = props;
  const { t } = useWords();
  const { list, acts } = view;
  const rows = useMemo(() => rowsOf(list, acts, ownId), [list, acts, ownId]);
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const isVisible = useVisible();
  const atEnd = useRef(true);
  const anchor = useRef<Anchor | null>(null);

  const isNewest = isAtEnd && !list.hasNewer;
  useEffect(() => store.setReading(isNewest && isVisible), [store, isNewest, isVisible]);

  const toEnd = useCallback(() => {
    const box = scroller.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }, []);
  const toNewest = () => {
    atEnd.current = true;
    if (list.hasNewer) store.conversation.jumpTo('newest');
    toEnd();
    // The button disappears.
    scroller.current?.focus({ preventScroll: true });
  };

  const loadOlder = () => {
    // The button is disabled now, and may be gone afterwards.
    scroller.current?.focus({ preventScroll: true });
    store.loadOlder();
  };

  // After each render: what changes above must not move the visible rows, and at the end the list
  // stays at the end.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    if (atEnd.current && !list.hasNewer) box.scrollTop = box.scrollHeight;
    else if (anchor.current !== null) box.scrollTop += driftOf(box, anchor.current);
    anchor.current = anchorOf(box);
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

  useTarget(scroller, target, list.error !== null, onTargetShown);

  const lastOutgoing = list.outgoing.at(-1)?.clientMsgId;
  // Show the own message after sending.
  useEffect(() => {
    if (lastOutgoing !== undefined) toEnd();
  }, [lastOutgoing, toEnd]);

  const onScroll = () => {
    const box = scroller.current;
    if (box === null) return;
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight <= END_PX;
    setAtEnd(atEnd.current);
    anchor.current = anchorOf(box);
    if (list.isLoading || list.error !== null || box.scrollHeight <= box.clientHeight) return;
    if (box.scrollTop === 0 && olderState(list, view.firstKept) === 'more') store.loadOlder();
    else if (atEnd.current && list.hasNewer) store.conversation.loadNewer();
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
        {!isEmpty && <Older view={view} t={t} onLoad={loadOlder} />}
        {isEmpty && <Blank isJoining={view.entered.kind === 'joining' || !list.isReady} t={t} />}
        <Rows {...props} rows={rows} />
      </div>
      {!isNewest && (
        <button type="button" class="jump" data-testid="jump-button" onClick={toNewest}>
          <DownIcon />
          {list.unread > 0 ? t.newCount(list.unread) : t.jumpToLatest}
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

/** The first visible message, and where it is. */
interface Anchor {
  seq: string;
  top: number;
}

function anchorOf(box: HTMLElement): Anchor | null {
  for (const row of box.querySelectorAll<HTMLElement>('.message[data-seq]')) {
    if (row.offsetTop + row.offsetHeight <= box.scrollTop) continue;
    return { seq: row.dataset.seq ?? '', top: row.offsetTop };
  }
  return null;
}

function driftOf(box: HTMLElement, { seq, top }: Anchor): number {
  const row = box.querySelector<HTMLElement>(`.message[data-seq="${seq}"]`);
  return row === null ? 0 : row.offsetTop - top;
}

/** Scrolls to a message as soon as it is there, and gives it the focus. */
function useTarget(
  scroller: { current: HTMLElement | null },
  target: number | null,
  isMissing: boolean,
  onShown: () => void,
): void {
  // After each render.
  useEffect(() => {
    if (target === null) return;
    const row = scroller.current?.querySelector<HTMLElement>(`.message[data-seq="${target}"]`);
    if (!row && !isMissing) return;
    onShown();
    if (!row) return;
    row.tabIndex = -1;
    row.scrollIntoView({ block: 'center' });
    // A dialog that closes now returns the focus first.
    setTimeout(() => row.focus({ preventScroll: true }), 0);
  });
}

export function useFormats(language: string): Formats {
  return useMemo(
    () => ({
      time: new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }),
      short: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
      full: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'medium' }),
    }),
    [language],
  );
}

function Rows({ rows, room, store, view, ownId, ownName, isWaiting, actions }: MessageListProps & { rows: Row[] }) {
  const { language, t } = useWords();
  const { names, list } = view;
  const formats = useFormats(language);
  // One stop of the Tab key for all menus; the arrow keys move between them.
  const lastWithMenu = rows.findLast((row) => row.kind === 'message')?.key;
  // Others have read the newest own message, and so the earlier ones.
  const lastOwn = list.messages.findLast(({ from, deleted }) => from.id === ownId && deleted === null);
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
        const { thread } = row.message;
        return (
          <MessageRow
            key={row.key}
            {...{ row, ownId, isWaiting, formats, names, t, actions }}
            author={row.kind === 'message' ? row.message.from : { id: ownId, name: ownName }}
            isMenuStop={row.key === lastWithMenu}
            replyTo={typeof thread === 'number' ? store.conversation.message(thread) : null}
            readBy={row.message === lastOwn ? readersOf(list.readers, lastOwn, ownId) : 0}
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
  const { list, firstKept } = view;
  const state = olderState(list, firstKept);
  const notice = view.notice === 'gap' ? t.gap : view.notice === 'rolled-back' ? t.rolledBack : null;
  return (
    <div class="older">
      {state === 'more' ? (
        <button
          type="button"
          class="quiet-button"
          data-testid="older-button"
          disabled={list.isLoading}
          onClick={onLoad}
        >
          {list.isLoading ? t.loadingOlder : t.loadOlder}
        </button>
      ) : (
        <p class="hint">{state === 'beginning' ? t.beginning : t.oldestKept}</p>
      )}
      {list.error !== null && (
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

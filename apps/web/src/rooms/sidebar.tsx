/** The room list, and the own user below it. */
import { hasSession } from '@maru/client';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import logo from '../assets/logo.svg';
import { CopyNote } from '../conversation/copy-note.tsx';
import { useWords } from '../i18n/index.ts';
import { PlusIcon } from '../icons.tsx';
import { MeArea } from '../presence/me-area.tsx';
import type { Workspace } from '../workspace/workspace.ts';
import { ListProblem, ListTools } from './list-tools.tsx';
import { GoToNamed, RoomField } from './room-field.tsx';
import { RoomMenuHost } from './room-menu-host.tsx';
import type { OpenMenu } from './room-menu-props.ts';
import { RoomRowItem } from './room-row.tsx';
import { allRows, type RoomRow } from './rows.ts';
import { onRowsKey } from './rows-keys.ts';
import { type SidebarProps, useSections } from './use-sections.ts';
import './sidebar.css';
import { IconButton } from '../icon-button.tsx';

export function Sidebar(props: SidebarProps) {
  const { workspace, session, connection, onLeave } = props;
  return (
    <>
      <div class="panel-brand">
        <img src={logo} alt="" width="28" height="28" />
        <span>
          Maru <span lang="ko">마루</span>
        </span>
      </div>
      <RoomList {...props} />
      <MeArea
        user={session.user}
        ownStatus={workspace.ownStatus}
        isConnected={hasSession(connection)}
        onLeave={onLeave}
      />
    </>
  );
}

function RoomList(props: SidebarProps) {
  const { workspace, shell } = props;
  const { route, store, goTo, dialog, setOpen } = shell;
  const { t } = useWords();
  const [query, setQuery] = useState('');
  const [unreadOnly, setUnreadOnly] = useState(false);
  const sections = useSections(props, query, unreadOnly);
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const [copied, setCopied] = useState<{ isDone: boolean } | null>(null);
  const forgetCopied = useCallback(() => setCopied(null), []);
  const current = route.view === 'room' ? (store?.room ?? null) : null;
  const rows = allRows(sections);
  const stop = rows.find(({ room }) => room === current) ?? rows[0];
  const list = useListPlace(workspace, current);
  useLayoutEffect(() => {
    workspace.listPlace.rows = rows;
    return () => {
      workspace.listPlace.rows = null;
    };
  });
  const onMenu = useCallback((row: RoomRow, at: HTMLElement) => {
    setFailed(false);
    setMenu({ row, at });
  }, []);
  const find = (room: string) => {
    setQuery('');
    goTo(room);
  };
  const item = (row: RoomRow) => (
    <RoomRowItem
      key={row.room}
      {...{ row, onMenu }}
      isOpen={row.room === current}
      isStop={row.room === stop?.room}
      onGo={goTo}
    />
  );
  return (
    <nav class="rooms" aria-label={t.rooms} ref={list} onKeyDown={onRowsKey}>
      <RoomField query={query} onQuery={setQuery} rows={rows} onGo={find} />
      <ListTools {...{ workspace, shell, unreadOnly, setUnreadOnly }} hasUnread={rows.some(isUnread)} />
      <ListProblem workspace={workspace} />
      {sections.people.length > 0 && (
        <>
          <h2 class="panel-title">{t.directRooms}</h2>
          <ul data-testid="direct-rooms">{sections.people.map(item)}</ul>
        </>
      )}
      <h2 class="panel-title">
        {t.rooms}
        <IconButton
          data-testid="new-room"
          label={t.newRoom}
          aria-haspopup="dialog"
          onClick={() => dialog.setTarget({ view: 'create' })}
        >
          <PlusIcon />
        </IconButton>
      </h2>
      <ul data-testid="my-rooms">{sections.rooms.map(item)}</ul>
      {sections.visited.length > 0 && (
        <>
          <h2 class="panel-title">{t.visitedRooms}</h2>
          <ul data-testid="visited-rooms">{sections.visited.map(item)}</ul>
        </>
      )}
      <GoToNamed query={query} rows={rows} onGo={find} />
      <p class="hint rooms-note" role="status">
        {rows.length === 0 && (query !== '' || unreadOnly) && t.noRoomFound}
      </p>
      <div role="alert">{hasFailed && <p class="field-error">{t.roomActFailed}</p>}</div>
      <CopyNote copied={copied} onOver={forgetCopied} />
      <RoomMenuHost
        menu={menu}
        workspace={workspace}
        onSettings={(room, section) => {
          goTo(room);
          dialog.setTarget({ view: 'room', room, section });
          setOpen(null);
        }}
        onFailed={() => setFailed(true)}
        onCopied={(isDone) => setCopied({ isDone })}
        onClose={() => setMenu(null)}
      />
    </nav>
  );
}

/**
 * Restores the scroll position when the list is shown again in a drawer, and scrolls the current
 * room into view.
 */
function useListPlace({ listPlace }: Workspace, current: string | null) {
  const list = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const box = list.current;
    if (box === null) return;
    box.scrollTop = listPlace.scrollTop;
    return () => {
      listPlace.scrollTop = box.scrollTop;
    };
  }, [listPlace]);
  useLayoutEffect(() => {
    if (current !== null) list.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  return list;
}

const isUnread = ({ unread, mentions }: RoomRow): boolean => unread + mentions > 0;

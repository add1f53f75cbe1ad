/** The directory of all public rooms: browse, search, join. */
import { systemScheduler } from '@maru/client';
import { type ListedRoom, listRooms } from '@maru/client/http';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ConnectionBanner, ConnectionPill } from '../chat/connection.tsx';
import { useMedia, useWatched } from '../hooks.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { MenuIcon, PlusIcon } from '../icons.tsx';
import { matches } from '../model/match.ts';
import { isOtherTab, pathOfRoom } from '../model/route.ts';
import { useThrottled } from '../throttled.ts';
import { Directory, type DirectoryView } from './directory-model.ts';
import type { DirectoryProps } from './directory-props.ts';
import './directory.css';
import { IconButton } from '../icon-button.tsx';

/** Number of rows to render at first, and to add each time the reader asks for more. */
const ROWS = 100;

export function DirectoryPage(props: DirectoryProps) {
  const { session, connection, workspace, shell } = props;
  const { t } = useWords();
  const words = useSection('rooms');
  const { token } = session;
  const directory = useMemo(
    () => new Directory({ list: (page) => listRooms({ token }, page), scheduler: systemScheduler }),
    [token],
  );
  useEffect(() => () => directory.close(), [directory]);
  return (
    <main class="conversation" data-testid="directory">
      <header class="bar">
        {!shell.showsRooms && (
          <IconButton data-testid="rooms-button" label={t.openRooms} onClick={() => shell.setOpen('rooms')}>
            <MenuIcon />
          </IconButton>
        )}
        <div class="bar-text">
          <h1 class="bar-room">{words.title}</h1>
          <p class="bar-topic">{words.detail}</p>
        </div>
        <ConnectionPill connection={connection} />
        <button
          type="button"
          class="quiet-button with-icon"
          data-testid="directory-create"
          aria-haspopup="dialog"
          onClick={() => shell.dialog.setTarget({ view: 'create' })}
        >
          <PlusIcon />
          {words.create}
        </button>
      </header>
      <ConnectionBanner connection={connection} onRetry={workspace.client.retryNow} />
      <Search {...props} directory={directory} />
    </main>
  );
}

type PartProps = DirectoryProps & { directory: Directory };

function Search(props: PartProps) {
  const { directory } = props;
  const words = useSection('rooms');
  const [query, setQuery] = useState('');
  const [rows, setRows] = useState(ROWS);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const view = useWatched(directory);
  const found = useMemo(
    () => view.rooms.filter(({ room, title, topic }) => matches(query, [room, title, topic])),
    [view.rooms, query],
  );
  const hasKeyboard = useMedia('(hover: hover) and (pointer: fine)');
  useEffect(() => {
    if (hasKeyboard) field.current?.focus();
  }, [hasKeyboard]);
  const isSearching = query.trim() !== '';
  useEffect(() => directory.readOn(isSearching), [directory, isSearching]);
  const more = () => {
    // The button may disappear, so move the focus.
    list.current?.querySelector<HTMLElement>('li:last-child a')?.focus();
    setRows(rows + ROWS);
    if (rows + ROWS > found.length) directory.more();
  };
  const hasMore = found.length > rows || (!isSearching && view.state === 'more');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys move between the field and the links in it
    <div class="directory" onKeyDown={onKey}>
      <input
        ref={field}
        class="directory-search"
        data-testid="directory-search"
        type="search"
        dir="auto"
        autoComplete="off"
        autoCapitalize="none"
        spellcheck={false}
        aria-label={words.search}
        placeholder={words.search}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setRows(ROWS);
        }}
      />
      <State {...{ view, isSearching, directory }} found={found.length} />
      <Rooms {...props} rooms={found.slice(0, rows)} list={list} />
      {hasMore && (
        <button type="button" class="quiet-button" data-testid="directory-more" onClick={more}>
          {words.more}
        </button>
      )}
    </div>
  );
}

interface StateProps {
  view: DirectoryView;
  isSearching: boolean;
  found: number;
  directory: Directory;
}

/**
 * How many of how many rooms match. The element is always in the page, so screen readers announce
 * changes.
 */
function State({ view, isSearching, found, directory }: StateProps) {
  const words = useSection('rooms');
  const { rooms, state } = view;
  const isReading = state === 'reading' || (isSearching && state === 'more');
  const parts = [
    isReading && rooms.length === 0 && words.loading,
    isSearching && (isReading || found > 0) && words.found(found),
    isSearching && rooms.length > 0 && words.lookedAt(rooms.length),
    isSearching && !isReading && found === 0 && words.noneFound,
    !isSearching && state === 'complete' && rooms.length === 0 && words.none,
    state === 'full' && words.tooMany(rooms.length),
  ].filter((part) => part !== false);
  return (
    <>
      <p class="hint directory-state" role="status" data-testid="directory-state" data-state={state}>
        {parts.join(' · ')}
      </p>
      {state === 'failed' && (
        <p class="alert" role="alert">
          {words.failed}{' '}
          <button type="button" class="link-button" data-testid="directory-retry" onClick={directory.more}>
            {words.retry}
          </button>
        </p>
      )}
    </>
  );
}

function Rooms({
  workspace,
  shell,
  rooms,
  list,
}: PartProps & { rooms: ListedRoom[]; list: { current: HTMLUListElement | null } }) {
  const words = useSection('rooms');
  const { myRooms } = workspace.conversations;
  const mine = useThrottled(myRooms).rooms;
  const own = useMemo(() => new Set(mine.map(({ room }) => room)), [mine]);
  const [failed, setFailed] = useState<string | null>(null);
  const join = (room: string) => {
    setFailed(null);
    myRooms.follow(room, 'all').then(
      () => shell.goTo(room),
      () => setFailed(room),
    );
  };
  return (
    <ul class="directory-rooms" ref={list}>
      {rooms.map((one) => (
        <Room
          key={one.room}
          {...one}
          isOwn={own.has(one.room)}
          problem={failed === one.room ? words.joinFailed : ''}
          onOpen={shell.goTo}
          onJoin={join}
        />
      ))}
    </ul>
  );
}

interface RoomProps extends ListedRoom {
  isOwn: boolean;
  problem: string;
  onOpen: (room: string) => void;
  onJoin: (room: string) => void;
}

function Room({ room, title, topic, online, isOwn, problem, onOpen, onJoin }: RoomProps) {
  const words = useSection('rooms');
  const name = title || room;
  return (
    <li class="directory-room" data-testid="directory-room" data-room={room}>
      <div class="directory-about">
        <a
          class="directory-name"
          href={pathOfRoom(room)}
          onClick={(event) => {
            if (isOtherTab(event)) return;
            event.preventDefault();
            onOpen(room);
          }}
        >
          <span class="hash" aria-hidden="true">
            #
          </span>
          <bdi>{name}</bdi>
        </a>
        <p class="hint">
          {[title !== '' && room, online > 0 && words.online(online), isOwn && words.inList]
            .filter((part) => part !== false)
            .join(' · ')}
        </p>
        {topic !== '' && (
          <p class="directory-topic" dir="auto">
            {topic}
          </p>
        )}
        <div role="alert">{problem !== '' && <p class="field-error">{problem}</p>}</div>
      </div>
      <button
        type="button"
        class="quiet-button"
        data-testid={isOwn ? 'open-room' : 'join-room'}
        aria-label={isOwn ? words.openRoom(name) : words.joinRoom(name)}
        title={isOwn ? undefined : words.joinHint}
        onClick={() => (isOwn ? onOpen : onJoin)(room)}
      >
        {isOwn ? words.open : words.join}
      </button>
    </li>
  );
}

/** Up and Down move between the field and the rooms. */
function onKey(event: KeyboardEvent): void {
  const stops = [
    ...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.directory-search, .directory-name'),
  ];
  const at = stops.indexOf(document.activeElement as HTMLElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (at === -1 || step === undefined || event.isComposing) return;
  event.preventDefault();
  stops[at + step]?.focus();
}

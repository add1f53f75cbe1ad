/** Rooms: the busiest ones, or a search by id; close, open, delete, and bans. */
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { useAsk } from './confirm.tsx';
import { type Formats, useFormats } from './formats.ts';
import { SearchField } from './search-field.tsx';
import { type Column, ListState, Table } from './table.tsx';
import type { Ban, RoomRow } from './types.ts';
import { usePages } from './use-data.ts';

/** The rates of the busiest rooms are differences between two answers. */
const REFRESH_MS = 5_000;

type ConsoleWords = ReturnType<typeof useSection<'console'>>;

export function RoomsView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const formats = useFormats();
  const [q, setQ] = useState('');
  const [opened, setOpened] = useState<string | null>(null);
  const order = q === '' ? 'activity' : 'id';
  const pages = usePages(
    (cursor) => api.rooms(q === '*' ? '' : q, order, cursor),
    `${order} ${q}`,
    order === 'activity' ? REFRESH_MS : undefined,
  );
  const acts = useRoomActs(api, pages.reload);
  return (
    <>
      <SearchField label={words.searchRooms} hint={words.searchRoomsHint} value={q} onSearch={setQ} />
      <p class="hint">{q === '' ? words.busiest : q === '*' ? words.byId : words.found}</p>
      <Table
        caption={words.rooms}
        testId="rooms"
        rows={pages.items}
        keyOf={({ room }) => room}
        columns={[
          ...columnsOf(words, formats),
          {
            title: words.acts,
            cell: (room) => <RoomActs {...{ room, acts, words }} onBans={() => setOpened(room.room)} />,
          },
        ]}
      />
      <ListState {...pages} isEmpty={pages.items.length === 0} onRetry={pages.reload} />
      {opened !== null && <Bans key={opened} api={api} room={opened} onClose={() => setOpened(null)} />}
    </>
  );
}

const columnsOf = (words: ConsoleWords, formats: Formats): Array<Column<RoomRow>> => [
  {
    title: words.room,
    cell: ({ room, title, closed, readOnly }) => (
      <>
        <strong>
          <bdi>{title === '' ? room : title}</bdi>
        </strong>{' '}
        {title !== '' && <span class="hint">{room}</span>}{' '}
        {closed && <span class="chip chip-warn">{words.closed}</span>}{' '}
        {readOnly && <span class="chip">{words.readOnly}</span>}
      </>
    ),
  },
  { title: words.visibility, cell: ({ visibility }) => words.visibilities[visibility] },
  {
    title: words.entriesPerS,
    isNumber: true,
    cell: ({ entriesPerS }) => (typeof entriesPerS === 'number' ? formats.rate(entriesPerS) : '–'),
  },
  {
    title: words.connections,
    isNumber: true,
    cell: ({ connections }) => (connections === undefined ? '–' : formats.count(connections)),
  },
  { title: words.roles, isNumber: true, cell: ({ roles }) => formats.count(roles) },
  { title: words.entries, isNumber: true, cell: ({ entries }) => formats.count(entries) },
];

function useRoomActs(api: AdminApi, onDone: () => void) {
  const words = useSection('console');
  const ask = useAsk();
  return {
    toggle: ({ room, closed }: RoomRow) =>
      ask({
        title: closed ? words.openTitle(room) : words.closeTitle(room),
        detail: closed ? words.openDetail : words.closeDetail,
        act: closed ? words.open : words.close,
        run: () => (closed ? api.openRoom(room) : api.closeRoom(room)),
        onDone,
        onChanged: onDone,
        problems: { conflict: words.roomImporting },
      }),
    remove: ({ room, entries }: RoomRow) =>
      ask({
        title: words.deleteTitle(room),
        detail: words.deleteDetail(entries),
        act: words.delete,
        run: () => api.deleteRoom(room),
        onDone,
        onChanged: onDone,
      }),
  };
}

interface RoomActsProps {
  room: RoomRow;
  acts: ReturnType<typeof useRoomActs>;
  words: ConsoleWords;
  onBans: () => void;
}

function RoomActs({ room, acts, words, onBans }: RoomActsProps) {
  return (
    <span class="row-acts">
      {room.visibility === 'public' && (
        <button type="button" class="quiet-button" data-testid="show-bans" onClick={onBans}>
          {words.bans}
        </button>
      )}
      {room.visibility !== 'direct' && (
        <button type="button" class="quiet-button" data-testid="close-room" onClick={() => acts.toggle(room)}>
          {room.closed ? words.open : words.close}
        </button>
      )}
      <button type="button" class="quiet-button" data-testid="delete-room" onClick={() => acts.remove(room)}>
        {words.delete}
      </button>
    </span>
  );
}

function Bans({ api, room, onClose }: { api: AdminApi; room: string; onClose: () => void }) {
  const words = useSection('console');
  const formats = useFormats();
  const ask = useAsk();
  const pages = usePages((cursor) => api.bans(room, cursor), room);
  const lift = (ban: Ban) =>
    ask({
      title: words.liftTitle(ban.user),
      detail: words.liftDetail(room),
      act: words.lift,
      run: () => api.lift(room, ban),
      onDone: pages.reload,
      onChanged: pages.reload,
    });
  return (
    <section class="details" data-testid="bans" aria-labelledby="bans-title">
      <header>
        <h2 id="bans-title">{words.bansOf(room)}</h2>
        <button type="button" class="quiet-button" onClick={onClose}>
          {words.hide}
        </button>
      </header>
      <Table
        caption={words.bansOf(room)}
        testId="ban-list"
        rows={pages.items}
        keyOf={({ user, kind }) => `${kind} ${user}`}
        columns={[
          { title: words.user, cell: ({ user }) => <bdi>{user}</bdi> },
          { title: words.kind, cell: ({ kind }) => words.banKinds[kind] },
          {
            title: words.until,
            cell: ({ untilTs }) => (untilTs === undefined ? words.forGood : formats.time(untilTs)),
          },
          { title: words.by, cell: ({ by }) => <bdi>{by}</bdi> },
          { title: words.reason, cell: ({ reason = '' }) => <bdi>{reason}</bdi> },
          {
            title: words.acts,
            cell: (ban) => (
              <button type="button" class="quiet-button" data-testid="lift-ban" onClick={() => lift(ban)}>
                {words.lift}
              </button>
            ),
          },
        ]}
      />
      <ListState {...pages} isEmpty={pages.items.length === 0} onRetry={pages.reload} />
    </section>
  );
}

/** The rows of the list of rooms, as they are shown now. */
import { useMemo } from 'preact/hooks';
import type { ShellProps, ShellState } from '../chat/use-shell.ts';
import { useSelected, useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { useThrottled } from '../throttled.ts';
import { isEnterable } from '../workspace/room-view.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { allRows, type OpenRoom, type RoomRow, type Sections, sectionsOf } from './rows.ts';

export type SidebarProps = ShellProps & { shell: ShellState };

/** The list follows busy rooms twice a second. */
const FOLLOW_MS = 500;

const NO_ROOM = { get: () => null, subscribe: () => () => {} };

/** The rooms that are open, and the one on the screen. */
function useOpenRooms(
  { rooms }: Workspace,
  { store, route }: ShellState,
): { open: OpenRoom[]; shown: OpenRoom | null } {
  const source = route.view === 'room' ? (store ?? NO_ROOM) : NO_ROOM;
  const title = useSelected(source, (view) => view?.details?.title ?? '');
  const unread = useSelected(source, (view) => view?.list.unread ?? 0);
  useSelected(source, (view) => view !== null && isEnterable(view.entered));
  const room = source === NO_ROOM ? null : (store?.room ?? null);
  return { open: openRooms(rooms), shown: room === null ? null : { room, title, unread } };
}

const openRooms = (rooms: Workspace['rooms']): OpenRoom[] =>
  rooms.list().flatMap((one) => {
    const { entered, details, list } = one.get();
    return isEnterable(entered) ? [{ room: one.room, title: details?.title ?? '', unread: list.unread }] : [];
  });

export function useSections(props: SidebarProps, query: string, unreadOnly: boolean): Sections {
  const { workspace, session, shell } = props;
  const { conversations, known } = workspace;
  const { language } = useWords();
  const mine = useThrottled(conversations.myRooms, FOLLOW_MS).rooms;
  const drafts = useWatched(conversations.drafts);
  const { open, shown } = useOpenRooms(workspace, shell);
  const names = known.current;
  const about = [mine, drafts, names, language, query, unreadOnly, JSON.stringify([open, shown])];
  return useMemo(
    () => sectionsOf({ mine, open, shown, drafts, names, ownId: session.user.id, locale: language, query, unreadOnly }),
    about,
  );
}

/** For keys, in the order that the list shows, or would show while its drawer is closed. */
export function roomsInOrder({ workspace, session }: ShellProps, locale: string): readonly RoomRow[] {
  const { listPlace, conversations, rooms, known } = workspace;
  if (listPlace.rows !== null) return listPlace.rows;
  const found = { mine: conversations.myRooms.get().rooms, open: openRooms(rooms), drafts: conversations.drafts.get() };
  const whole = { query: '', unreadOnly: false, shown: null };
  return allRows(sectionsOf({ ...found, ...whole, names: known.current, ownId: session.user.id, locale }));
}

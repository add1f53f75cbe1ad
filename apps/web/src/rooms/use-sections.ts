/** The current rows of the room list. */
import { useMemo } from 'preact/hooks';
import type { ShellProps, ShellState } from '../chat/use-shell.ts';
import { useSelected, useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { useThrottled } from '../throttled.ts';
import { allRows, type RoomRow, type Sections, type SectionsInput, sectionsOf } from './rows.ts';

export type SidebarProps = ShellProps & { shell: ShellState };

/** Counts of busy rooms update twice a second. */
const FOLLOW_MS = 500;

const NO_ROOM = { get: () => null, subscribe: () => () => {} };

/** The room on the screen. */
function useShownRoom({ store, route }: ShellState): SectionsInput['shown'] {
  const source = route.view === 'room' ? (store ?? NO_ROOM) : NO_ROOM;
  const title = useSelected(source, (view) => view?.details?.title ?? '');
  const unread = useSelected(source, (view) => view?.list.unread ?? 0);
  const room = source === NO_ROOM ? null : (store?.room ?? null);
  return room === null ? null : { room, title, unread };
}

export function useSections(props: SidebarProps, query: string, unreadOnly: boolean): Sections {
  const { workspace, session, shell } = props;
  const { conversations, known } = workspace;
  const { language } = useWords();
  const mine = useThrottled(conversations.myRooms, FOLLOW_MS).rooms;
  const drafts = useWatched(conversations.drafts);
  const open = useThrottled(workspace.openList, FOLLOW_MS);
  const shown = useShownRoom(shell);
  const names = known.current;
  const about = [mine, drafts, names, language, query, unreadOnly, JSON.stringify([open, shown])];
  return useMemo(
    () => sectionsOf({ mine, open, shown, drafts, names, ownId: session.user.id, locale: language, query, unreadOnly }),
    about,
  );
}

/** For shortcuts: the rooms in the order of the list, even while the drawer is closed. */
export function roomsInOrder({ workspace, session }: ShellProps, locale: string): readonly RoomRow[] {
  const { listPlace, conversations, openList, known } = workspace;
  if (listPlace.rows !== null) return listPlace.rows;
  const found = { mine: conversations.myRooms.get().rooms, open: openList.get(), drafts: conversations.drafts.get() };
  const whole = { query: '', unreadOnly: false, shown: null };
  return allRows(sectionsOf({ ...found, ...whole, names: known.current, ownId: session.user.id, locale }));
}

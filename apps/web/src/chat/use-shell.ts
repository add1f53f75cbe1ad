/** State of the page outside the room: the route, what is open, and navigation. */
import type { ConnectionState } from '@maru/client';
import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { useMedia, useWatched } from '../hooks.ts';
import { type Address, DEFAULT_ROOM, type Route } from '../model/route.ts';
import { type Find, useFind } from '../search/find.ts';
import type { Session } from '../session/device.ts';
import type { Router } from '../session/router.ts';
import type { OpenRooms } from '../workspace/open-rooms.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { type Dialog, useDialog } from './shell-state.ts';

export interface ShellProps {
  workspace: Workspace;
  connection: ConnectionState;
  session: Session;
  router: Router;
  mayCreate: string | null;
  onLeave: () => void;
}

export interface ShellState {
  route: Route;
  /** The room on the screen. Right after a change of the address, it is still the previous room. */
  store: RoomStore | null;
  open: 'rooms' | 'people' | null;
  setOpen: (open: 'rooms' | 'people' | null) => void;
  dialog: Dialog;
  find: Find;
  /**
   * Whether the window is wide enough for the room list, the people, and a thread beside the room.
   */
  showsRooms: boolean;
  showsPeople: boolean;
  showsPane: boolean;
  go: (address: Address) => void;
  goTo: (room: string) => void;
  goToRooms: () => void;
}

/** Shows the room of the address. */
function useRoute({ workspace, router, mayCreate }: ShellProps): Route {
  const route = useWatched(router);
  const { rooms } = workspace;
  // In a layout effect, to run before the next paint.
  useLayoutEffect(() => {
    if (route.view === 'room') rooms.show(route.room, route.room === mayCreate);
    else if (route.view === 'start') router.replace({ view: 'room', room: DEFAULT_ROOM, seq: null });
    else rooms.hide();
  }, [rooms, router, route, mayCreate]);
  useEffect(() => {
    const store = rooms.get();
    if (route.view === 'room' && route.seq !== null && store?.room === route.room) store.jumpTo(route.seq);
  }, [rooms, route]);
  return route;
}

export function useShell(props: ShellProps): ShellState {
  const { workspace, router } = props;
  const route = useRoute(props);
  const store = useWatched<ReturnType<OpenRooms['get']>>(workspace.rooms);
  const [open, setOpen] = useState<ShellState['open']>(null);
  const dialog = useDialog(store);
  const find = useFind();
  const isWide = useMedia('(min-width: 72rem)');
  const isMedium = useMedia('(min-width: 52rem)');
  const go = useCallback((address: Address) => router.go({ view: 'room', ...address }), [router]);
  const goTo = useCallback(
    (room: string) => {
      setOpen(null);
      go({ room, seq: null });
    },
    [go],
  );
  const goToRooms = useCallback(() => {
    setOpen(null);
    router.go({ view: 'rooms' });
  }, [router]);
  return {
    ...{ route, store, open, setOpen, dialog, find, go, goTo, goToRooms },
    showsRooms: isMedium,
    showsPeople: isWide,
    showsPane: isMedium,
  };
}

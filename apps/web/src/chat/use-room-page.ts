/** State of the room on the screen: its view, its name, and what is open beside it. */
import { useCallback, useMemo } from 'preact/hooks';
import { useActs } from '../conversation/use-acts.ts';
import { useSelected, useWatched } from '../hooks.ts';
import { nameOfMyRoom, type RoomName } from '../model/room-name.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { RoomView } from '../workspace/room-view.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { useDirect, useThread } from './shell-state.ts';
import { useFollow } from './use-follow.ts';
import type { ShellProps, ShellState } from './use-shell.ts';

export interface RoomPageProps extends ShellProps {
  shell: ShellState;
  store: RoomStore;
}

/** The name of the room that the reader sees: a title, or the other person of a direct room. */
function useRoomTitle({ conversations, known }: Workspace, room: string, { details }: RoomView): RoomName {
  const mine = useSelected(conversations.myRooms, () => {
    const listed = conversations.myRooms.room(room);
    return listed === null ? '' : JSON.stringify(nameOfMyRoom(listed, known.current));
  });
  const listed = mine === '' ? null : (JSON.parse(mine) as RoomName);
  const isPerson = listed?.isPerson ?? details?.visibility === 'direct';
  return { name: details?.title || (listed?.name ?? room), isPerson };
}

export function useRoomPage({ workspace, session, connection, shell, store }: RoomPageProps) {
  const { room } = store;
  const view = useWatched(store);
  useMemo(() => workspace.noteNames(view.names), [workspace, view.names]);
  const isInRoom = view.details !== null;
  const { thread, setThread, threadPlace } = useThread(room, isInRoom);
  const { find, dialog, goTo } = shell;
  // A thread and the search share one place, so opening the thread closes the search.
  const openThread = useCallback(
    (root: number) => {
      find.close();
      setThread(root);
    },
    [find.close, setThread],
  );
  return {
    ...{ room, view, isInRoom, thread, setThread, threadPlace, openThread },
    title: useRoomTitle(workspace, room, view),
    acts: useActs({ store, ownId: session.user.id, onDialog: dialog.setTarget, onThread: openThread }),
    direct: useDirect(workspace.conversations, goTo),
    follow: useFollow(workspace.conversations.myRooms, room, view),
    ownId: session.user.id,
    isWaiting: connection.state !== 'connected',
  };
}

export type RoomPageState = ReturnType<typeof useRoomPage>;

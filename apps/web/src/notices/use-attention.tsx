/** Shows the unread count in the title of the page. */
import { useEffect, useMemo } from 'preact/hooks';
import { useSelected } from '../hooks.ts';
import { useThrottled } from '../throttled.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { type Attention, attentionOf, titleOf } from './attention.ts';

const NO_ROOM = { get: () => null, subscribe: () => () => {} };

/** `store`: the room on the screen. Returns the same object until something changes. */
export function useAttention({ conversations, openList }: Workspace, store: RoomStore | null): Attention {
  const { rooms } = useThrottled(conversations.myRooms);
  const open = useThrottled(openList);
  const unread = useSelected(store ?? NO_ROOM, (view) => view?.list.unread ?? 0);
  const room = store?.room ?? null;
  const { count, hasOthers } = attentionOf(rooms, room === null ? null : { room, unread }, open);
  return useMemo(() => ({ count, hasOthers }), [count, hasOthers]);
}

export interface PageTitleProps {
  workspace: Workspace;
  store: RoomStore | null;
  /** The name of the current place; empty if there is none. */
  place: string;
}

export function PageTitle({ workspace, store, place }: PageTitleProps): null {
  const title = titleOf(useAttention(workspace, store), place);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(
    () => () => {
      document.title = 'Maru';
    },
    [],
  );
  return null;
}

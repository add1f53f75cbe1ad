/** Offers to add a public room to the reader's list, unless it is already there. */
import type { MyRooms } from '@maru/client/conversation';
import { useState } from 'preact/hooks';
import { useSelected } from '../hooks.ts';
import type { RoomView } from '../workspace/room-view.ts';

export interface Follow {
  /** Null if following is not offered. */
  follow: (() => void) | null;
  hasFailed: boolean;
  dismiss: () => void;
}

export function useFollow(myRooms: MyRooms, room: string, { entered, details }: RoomView): Follow {
  const [failed, setFailed] = useState<string | null>(null);
  const isListed = useSelected(myRooms, ({ isReady }) => !isReady || myRooms.room(room) !== null);
  const isOffered = !isListed && entered.kind === 'joined' && details?.visibility === 'public';
  const follow = () => {
    setFailed(null);
    myRooms.follow(room, 'all').catch(() => setFailed(room));
  };
  return { follow: isOffered ? follow : null, hasFailed: failed === room, dismiss: () => setFailed(null) };
}

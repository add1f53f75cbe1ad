/** The own rooms: memberships, direct rooms and followed rooms, with what is unread in them. */
import type { MyRoom } from '@maru/protocol/events';
import { useWords } from '../i18n/index.ts';
import type { Names } from '../model/names.ts';
import { nameOfMyRoom } from '../model/room-name.ts';
import { hashOfRoom } from '../model/route.ts';

export interface MyRoomListProps {
  rooms: readonly MyRoom[];
  /** The open room. */
  room: string;
  /** What is unread in the open room: newer than its number in the list. */
  unread: number;
  names: Names;
  onGoToRoom: (room: string) => void;
}

export function MyRoomList({ rooms, room, unread, names, onGoToRoom }: MyRoomListProps) {
  const { t } = useWords();
  if (rooms.length === 0) return null;
  return (
    <>
      <h2 class="panel-title my-rooms-title">{t.myRooms}</h2>
      <ul data-testid="my-rooms">
        {rooms.map((one) => (
          <li key={one.room} data-testid="my-room" data-room={one.room}>
            <MyRoomLink
              mine={one.room === room ? { ...one, unread, mentions: unread === 0 ? 0 : one.mentions } : one}
              isOpen={one.room === room}
              {...{ names, onGoToRoom }}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

interface MyRoomLinkProps extends Pick<MyRoomListProps, 'names' | 'onGoToRoom'> {
  mine: MyRoom;
  isOpen: boolean;
}

function MyRoomLink({ mine, isOpen, names, onGoToRoom }: MyRoomLinkProps) {
  const { t } = useWords();
  const { name, isPerson } = nameOfMyRoom(mine, names);
  const mentions = mine.notify === 'none' ? 0 : mine.mentions;
  const unread = mine.notify === 'all' ? mine.unread : 0;
  return (
    <a
      class={unread + mentions > 0 ? 'room-link has-unread' : 'room-link'}
      href={hashOfRoom(mine.room)}
      aria-current={isOpen ? 'page' : undefined}
      title={name}
      onClick={(event) => {
        event.preventDefault();
        onGoToRoom(mine.room);
      }}
    >
      {!isPerson && (
        <span class="hash" aria-hidden="true">
          #
        </span>
      )}
      <span class="room-name">
        <bdi>{name}</bdi>
      </span>
      <Count count={mentions} shown={`@${mentions}`} words={t.mentionCount} testId="mention-count" />
      <Count count={unread} shown={String(unread)} words={t.newCount} testId="unread-count" />
    </a>
  );
}

interface CountProps {
  count: number;
  shown: string;
  words: (count: number) => string;
  testId: string;
}

function Count({ count, shown, words, testId }: CountProps) {
  if (count === 0) return null;
  return (
    <span class="badge" data-testid={testId} data-count={count} title={words(count)}>
      <span aria-hidden="true">{shown}</span>
      <span class="sr-only">{words(count)}</span>
    </span>
  );
}

import { isRoomId } from '@maru/client';
import type { MyRoomsView } from '@maru/client/conversation';
import { useEffect, useState } from 'preact/hooks';
import logo from '../assets/logo.svg';
import { MyRoomList } from '../conversation/my-rooms.tsx';
import { useVisible } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { LeaveIcon, PlusIcon } from '../icons.tsx';
import type { Names } from '../model/names.ts';
import { hashOfRoom, normalizeRoom } from '../model/route.ts';
import { type ListedRoom, listRooms, type Session } from '../session/api.ts';
import { Switches } from '../switches.tsx';
import { Avatar } from './avatar.tsx';

export interface RoomsProps {
  session: Session;
  room: string;
  /** Of this room; may be empty. */
  title: string;
  mine: MyRoomsView;
  names: Names;
  /** In this room. */
  unread: number;
  /**
   * The current number of people in this room. The list has the number at the time it was loaded.
   */
  presentCount: number | null;
  onGoToRoom: (room: string) => void;
  onCreate: () => void;
  onLeave: () => void;
}

/** The list loads when it is shown, never periodically: an idle page sends no requests. */
function useListedRooms(token: string, room: string): ListedRoom[] {
  const [rooms, setRooms] = useState<ListedRoom[]>([]);
  const isVisible = useVisible();
  // Reload the list when the room changes.
  useEffect(() => {
    if (!isVisible) return;
    let isWanted = true;
    listRooms(token).then((result) => {
      // After a failure the old list stays. Any room can still be entered by its name.
      if (isWanted && result.ok) setRooms(result.data);
    });
    return () => {
      isWanted = false;
    };
  }, [token, room, isVisible]);
  return rooms;
}

export function Rooms(props: RoomsProps) {
  const { session, room, title, mine, presentCount, onGoToRoom, onCreate, onLeave } = props;
  const { t } = useWords();
  const own = new Set(mine.rooms.map((one) => one.room));
  const listed = useListedRooms(session.token, room).filter((one) => !own.has(one.room));
  const isListed = own.has(room) || listed.some((one) => one.room === room);
  const shown = (isListed ? listed : [{ room, title, online: 0 }, ...listed]).map((one) =>
    one.room === room && presentCount !== null ? { ...one, online: presentCount } : one,
  );
  return (
    <>
      <div class="panel-brand">
        <img src={logo} alt="" width="28" height="28" />
        <span>
          Maru <span lang="ko">마루</span>
        </span>
      </div>
      <nav class="rooms" aria-label={t.rooms}>
        <MyRoomList {...props} rooms={mine.rooms} />
        <h2 class="panel-title">
          {t.rooms}
          <button
            type="button"
            class="icon-button"
            data-testid="new-room"
            aria-label={t.newRoom}
            title={t.newRoom}
            aria-haspopup="dialog"
            onClick={onCreate}
          >
            <PlusIcon />
          </button>
        </h2>
        <ul>
          {shown.map((one) => (
            <li key={one.room}>
              <a
                class="room-link"
                href={hashOfRoom(one.room)}
                aria-current={one.room === room ? 'page' : undefined}
                title={one.title === '' ? one.room : one.title}
                onClick={(event) => {
                  event.preventDefault();
                  onGoToRoom(one.room);
                }}
              >
                <span class="hash" aria-hidden="true">
                  #
                </span>
                <span class="room-name">
                  <bdi>{nameOfRoom(one)}</bdi>
                </span>
                {one.online > 0 && (
                  <span class="count" title={t.peopleOnline(one.online)}>
                    <span aria-hidden="true">{one.online}</span>
                    <span class="sr-only">{t.peopleOnline(one.online)}</span>
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
        <RoomJump onGoToRoom={onGoToRoom} />
      </nav>
      <footer class="me">
        <div class="me-name">
          <Avatar id={session.user.id} name={session.user.name} isSmall />
          <span class="person-name" title={session.user.name}>
            <bdi>{session.user.name}</bdi>
          </span>
        </div>
        <div class="me-tools">
          <Switches />
          <button
            type="button"
            class="icon-button"
            data-testid="leave-button"
            aria-label={t.leave}
            title={t.leave}
            onClick={onLeave}
          >
            <LeaveIcon />
          </button>
        </div>
      </footer>
    </>
  );
}

/** The id of a private room says nothing. */
const nameOfRoom = ({ room, title }: ListedRoom): string => (/^[dp]-/.test(room) && title !== '' ? title : room);

function RoomJump({ onGoToRoom }: { onGoToRoom: (room: string) => void }) {
  const { t } = useWords();
  const [typed, setTyped] = useState('');
  const [isBad, setBad] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const room = normalizeRoom(typed);
    if (!isRoomId(room)) return setBad(true);
    setTyped('');
    onGoToRoom(room);
  };
  return (
    <form class="room-jump" noValidate onSubmit={submit}>
      <label class="sr-only" for="room-jump-input">
        {t.goToRoom}
      </label>
      <div class="room-jump-row">
        <input
          id="room-jump-input"
          data-testid="room-jump-input"
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          placeholder={t.goToRoom}
          value={typed}
          aria-invalid={isBad}
          aria-describedby={isBad ? 'room-jump-error' : undefined}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setBad(false);
          }}
        />
        <button type="submit" class="quiet-button" disabled={typed.trim() === ''}>
          {t.go}
        </button>
      </div>
      {isBad && (
        <p class="field-error" id="room-jump-error">
          {t.roomInvalid} {t.roomHint}
        </p>
      )}
    </form>
  );
}

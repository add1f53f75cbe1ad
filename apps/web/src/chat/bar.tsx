/**
 * The header of a room: name, topic, connection state, and buttons for the panels beside the room.
 */
import type { ConnectionState, RoomDetails } from '@maru/client';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { BellIcon, MenuIcon, PeopleIcon, SearchIcon, SettingsIcon } from '../icons.tsx';
import type { RoomName } from '../model/room-name.ts';
import { ConnectionPill } from './connection.tsx';

export interface BarProps {
  room: string;
  /** The name that the reader sees: a title, or the other person of a direct room. */
  title: RoomName;
  details: RoomDetails | null;
  connection: ConnectionState;
  count: number | null;
  /** Each callback is null if its button is not shown. */
  onShowRooms: (() => void) | null;
  onShowPeople: (() => void) | null;
  onShowSettings: (() => void) | null;
  onShowAbout: (() => void) | null;
  onFollow: (() => void) | null;
  onFind: (() => void) | null;
}

export function Bar(props: BarProps) {
  const { room, title, details, connection, count } = props;
  const { onShowRooms, onShowPeople, onShowSettings, onShowAbout, onFollow, onFind } = props;
  const { t } = useWords();
  const topic = details?.topic ?? '';
  return (
    <header class="bar">
      {onShowRooms !== null && (
        <IconButton data-testid="rooms-button" label={t.openRooms} onClick={onShowRooms}>
          <MenuIcon />
        </IconButton>
      )}
      <div class="bar-text">
        <h1 class="bar-room" title={room}>
          {!title.isPerson && (
            <span class="hash" aria-hidden="true">
              #
            </span>
          )}
          <bdi>{title.name}</bdi>
        </h1>
        {topic !== '' && (
          <p class="bar-topic" title={topic} dir="auto" data-testid="topic">
            {topic}
          </p>
        )}
      </div>
      {onFollow !== null && (
        <button
          type="button"
          class="quiet-button"
          data-testid="follow-button"
          title={t.followRoomTitle}
          onClick={onFollow}
        >
          {t.followRoom}
        </button>
      )}
      <ConnectionPill connection={connection} />
      {onFind !== null && (
        <IconButton
          data-testid="find-button"
          label={t.find}
          title={`${t.find} (Ctrl+K)`}
          aria-keyshortcuts="Control+K Meta+K"
          onClick={onFind}
        >
          <SearchIcon />
        </IconButton>
      )}
      {onShowAbout !== null && (
        <IconButton data-testid="room-about" label={t.roomAbout} aria-haspopup="dialog" onClick={onShowAbout}>
          <BellIcon />
        </IconButton>
      )}
      {onShowSettings !== null && (
        <IconButton data-testid="room-settings" label={t.roomMenu} onClick={onShowSettings}>
          <SettingsIcon />
        </IconButton>
      )}
      {onShowPeople !== null && (
        <IconButton
          class="with-count"
          data-testid="people-button"
          label={count === null ? t.openPeople : t.openPeopleOf(count)}
          title={t.openPeople}
          onClick={onShowPeople}
        >
          <PeopleIcon />
          {count !== null && <span aria-hidden="true">{count}</span>}
        </IconButton>
      )}
    </header>
  );
}

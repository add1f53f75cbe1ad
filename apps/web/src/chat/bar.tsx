/** The head of a room: its name and topic, the connection, and what opens beside it. */
import type { ConnectionState, RoomDetails } from '@maru/client';
import { useWords } from '../i18n/index.ts';
import { MenuIcon, PeopleIcon, SettingsIcon } from '../icons.tsx';
import { ConnectionPill } from './connection.tsx';

export interface BarProps {
  room: string;
  details: RoomDetails | null;
  connection: ConnectionState;
  count: number | null;
  /** Each is null if it is not offered here. */
  onShowRooms: (() => void) | null;
  onShowPeople: (() => void) | null;
  onShowSettings: (() => void) | null;
}

export function Bar({ room, details, connection, count, onShowRooms, onShowPeople, onShowSettings }: BarProps) {
  const { t } = useWords();
  const title = details?.title || room;
  const topic = details?.topic ?? '';
  return (
    <header class="bar">
      {onShowRooms !== null && (
        <button type="button" class="icon-button" aria-label={t.openRooms} title={t.openRooms} onClick={onShowRooms}>
          <MenuIcon />
        </button>
      )}
      <div class="bar-text">
        <h1 class="bar-room" title={room}>
          <span class="hash" aria-hidden="true">
            #
          </span>
          <bdi>{title}</bdi>
        </h1>
        {topic !== '' && (
          <p class="bar-topic" title={topic} dir="auto" data-testid="topic">
            {topic}
          </p>
        )}
      </div>
      <ConnectionPill connection={connection} />
      {onShowSettings !== null && (
        <button
          type="button"
          class="icon-button"
          data-testid="room-settings"
          aria-label={t.roomMenu}
          title={t.roomMenu}
          onClick={onShowSettings}
        >
          <SettingsIcon />
        </button>
      )}
      {onShowPeople !== null && (
        <button
          type="button"
          class="icon-button with-count"
          data-testid="people-button"
          aria-label={count === null ? t.openPeople : `${t.openPeople} · ${t.peopleCount(count)}`}
          title={t.openPeople}
          onClick={onShowPeople}
        >
          <PeopleIcon />
          {count !== null && <span aria-hidden="true">{count}</span>}
        </button>
      )}
    </header>
  );
}

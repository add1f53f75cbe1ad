/** Finds a room by typing: in the list or by its id. */
import { isRoomId } from '@maru/client';
import { useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { normalizeRoom } from '../model/route.ts';
import type { RoomRow } from './rows.ts';

/** Opens a room by its typed id, even if it is in no list. */
export function GoToNamed({ query, rows, onGo }: Pick<RoomFieldProps, 'query' | 'rows' | 'onGo'>) {
  const { t } = useWords();
  const room = normalizeRoom(query);
  if (!isRoomId(room) || rows.some((row) => row.room === room)) return null;
  return (
    <button type="button" class="room-link go-named" data-testid="go-named" onClick={() => onGo(room)}>
      {t.goToNamed(room)}
    </button>
  );
}

interface RoomFieldProps {
  query: string;
  onQuery: (query: string) => void;
  /** The rows that match the query. */
  rows: readonly RoomRow[];
  onGo: (room: string) => void;
}

/**
 * Filters the room list while the user types. Enter opens the first match, or the room with that
 * id.
 */
export function RoomField({ query, onQuery, rows, onGo }: RoomFieldProps) {
  const { t } = useWords();
  const [isBad, setBad] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const named = normalizeRoom(query);
    const [first] = rows;
    if (rows.some(({ room }) => room === named) || (first === undefined && isRoomId(named))) onGo(named);
    else if (first !== undefined) onGo(first.room);
    else setBad(true);
  };
  return (
    <form class="room-jump" noValidate onSubmit={submit}>
      <label class="sr-only" for="room-jump-input">
        {t.findRoom}
      </label>
      <div class="room-jump-row">
        <input
          id="room-jump-input"
          data-testid="room-jump-input"
          type="search"
          dir="auto"
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          placeholder={t.findRoom}
          value={query}
          aria-invalid={isBad}
          aria-describedby={isBad ? 'room-jump-error' : undefined}
          onInput={(event) => {
            onQuery(event.currentTarget.value);
            setBad(false);
          }}
        />
        <button type="submit" class="quiet-button" disabled={query.trim() === ''}>
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

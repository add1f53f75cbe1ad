/** Shown for an address that is not a valid room. */
import { useWords } from '../i18n/index.ts';
import { DEFAULT_ROOM } from '../model/route.ts';
import type { ShellState } from './use-shell.ts';

export function Nowhere({ typed, shell }: { typed: string; shell: ShellState }) {
  const { t } = useWords();
  return (
    <main class="conversation">
      <div class="blank" data-testid="room-problem" data-reason="invalid">
        <div role="alert">
          <h1>{t.roomInvalid}</h1>
          <p class="blank-detail">
            <bdi>{typed}</bdi>
          </p>
          <p class="blank-detail">{t.roomHint}</p>
        </div>
        <div class="blank-actions">
          <button type="button" class="primary-button" onClick={shell.goToRooms}>
            {t.allRooms}
          </button>
          <button type="button" class="quiet-button" onClick={() => shell.goTo(DEFAULT_ROOM)}>
            {t.goToLobby}
          </button>
          {!shell.showsRooms && (
            <button type="button" class="quiet-button" onClick={() => shell.setOpen('rooms')}>
              {t.openRooms}
            </button>
          )}
        </div>
      </div>
    </main>
  );
}

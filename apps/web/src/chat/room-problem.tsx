/** Shown instead of a room that the user is not in: why, and where to go from here. */
import type { RemovalReason } from '@maru/protocol/events';
import { wordsOfError } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { DEFAULT_ROOM } from '../model/route.ts';
import { wordsOfAct } from './act-row.tsx';
import type { RoomStore } from './room-store.ts';
import type { EnteredState, RoomView } from './room-view.ts';

export interface RoomProblemProps {
  entered: Extract<EnteredState, { kind: 'refused' | 'removed' }>;
  view: RoomView;
  store: RoomStore;
  onGoToRoom: (room: string) => void;
  /** Null if the list of rooms is beside the room. */
  onShowRooms: (() => void) | null;
}

const REASON_WORDS = {
  kicked: 'removedKicked',
  banned: 'removedBanned',
  left: 'removedLeft',
  closed: 'removedClosed',
  deleted: 'removedDeleted',
} as const satisfies Record<RemovalReason, string>;

export function RoomProblem({ entered, view, store, onGoToRoom, onShowRooms }: RoomProblemProps) {
  const { language, t } = useWords();
  const isRemoved = entered.kind === 'removed';
  const title = isRemoved ? t[REASON_WORDS[entered.reason] ?? 'removedKicked'] : t.refused;
  const act = isRemoved && entered.by !== null ? { entry: entered.by, names: view.names, language, t } : null;
  const detail = isRemoved ? act && wordsOfAct(act) : detailOfRefusal();
  // A user who left does not want to return, and a deleted room cannot be entered.
  const mayTryAgain = isRemoved ? entered.reason !== 'left' && entered.reason !== 'deleted' : true;

  function detailOfRefusal(): string {
    if (entered.kind !== 'refused') return '';
    return entered.code === 'forbidden' ? t.refusedForbidden : wordsOfError(t, entered.code);
  }

  return (
    <div class="blank" data-testid="room-problem" data-reason={isRemoved ? entered.reason : entered.code}>
      <div role="alert">
        <h2>{title}</h2>
        {detail && <p class="blank-detail">{detail}</p>}
      </div>
      <div class="blank-actions">
        {store.room !== DEFAULT_ROOM && (
          <button type="button" class="primary-button" onClick={() => onGoToRoom(DEFAULT_ROOM)}>
            {t.goToLobby}
          </button>
        )}
        {onShowRooms !== null && (
          <button type="button" class="quiet-button" onClick={onShowRooms}>
            {t.openRooms}
          </button>
        )}
        {mayTryAgain && (
          <button type="button" class="quiet-button" data-testid="enter-again" onClick={store.enter}>
            {t.enterAgain}
          </button>
        )}
      </div>
    </div>
  );
}

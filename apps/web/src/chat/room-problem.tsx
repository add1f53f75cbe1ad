/** Replaces a room that the user is not in: shows why, and what the user can do. */
import type { RemovalReason } from '@maru/protocol/events';
import { wordsOfError } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { DEFAULT_ROOM } from '../model/route.ts';
import { useLocale } from '../settings/locale.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { EnteredState, RoomView } from '../workspace/room-view.ts';
import { wordsOfAct } from './act-row.tsx';

export interface RoomProblemProps {
  entered: Exclude<EnteredState, { kind: 'looking' | 'joining' | 'joined' }>;
  view: RoomView;
  store: RoomStore;
  onGoToRoom: (room: string) => void;
  onGoToRooms: () => void;
  /** Null if the room list is already visible. */
  onShowRooms: (() => void) | null;
}

const REASON_WORDS = {
  kicked: 'removedKicked',
  banned: 'removedBanned',
  left: 'removedLeft',
  closed: 'removedClosed',
  deleted: 'removedDeleted',
} as const satisfies Record<RemovalReason, string>;

/** The texts that say why the user is not in the room. */
function useProblem({ entered, view, store }: RoomProblemProps): { title: string; detail: string; reason: string } {
  const { t } = useWords();
  const locale = useLocale();
  switch (entered.kind) {
    case 'missing': {
      const detail = entered.problem === null ? t.missingDetail : t.actFailed(wordsOfError(t, entered.problem));
      return { title: t.missing(store.room), detail, reason: 'missing' };
    }
    case 'refused': {
      const detail = entered.code === 'forbidden' ? t.refusedForbidden : wordsOfError(t, entered.code);
      return { title: t.refused, detail, reason: entered.code };
    }
    case 'removed': {
      const act = entered.by === null ? null : { entry: entered.by, names: view.names, locale, t };
      const title = t[REASON_WORDS[entered.reason] ?? 'removedKicked'];
      return { title, detail: (act && wordsOfAct(act)) ?? '', reason: entered.reason };
    }
  }
}

/** Trying again is not offered to a user who left, or in a deleted room. */
const mayTryAgain = (entered: RoomProblemProps['entered']): boolean =>
  entered.kind === 'refused' ||
  (entered.kind === 'removed' && entered.reason !== 'left' && entered.reason !== 'deleted');

export function RoomProblem(props: RoomProblemProps) {
  const { entered, store, onGoToRoom, onGoToRooms, onShowRooms } = props;
  const { t } = useWords();
  const { title, detail, reason } = useProblem(props);
  const isMissing = entered.kind === 'missing';
  return (
    <div class="blank" data-testid="room-problem" data-reason={reason}>
      <div role="alert">
        <h2>{title}</h2>
        {detail !== '' && <p class="blank-detail">{detail}</p>}
      </div>
      <div class="blank-actions">
        {isMissing && (
          <button type="button" class="primary-button" data-testid="create-missing" onClick={store.create}>
            {t.createMissing}
          </button>
        )}
        {store.room !== DEFAULT_ROOM && (
          <button
            type="button"
            class={isMissing ? 'quiet-button' : 'primary-button'}
            onClick={() => onGoToRoom(DEFAULT_ROOM)}
          >
            {t.goToLobby}
          </button>
        )}
        <button type="button" class="quiet-button" onClick={onGoToRooms}>
          {t.allRooms}
        </button>
        {onShowRooms !== null && (
          <button type="button" class="quiet-button" onClick={onShowRooms}>
            {t.openRooms}
          </button>
        )}
        {mayTryAgain(entered) && (
          <button type="button" class="quiet-button" data-testid="enter-again" onClick={() => store.enter()}>
            {t.enterAgain}
          </button>
        )}
      </div>
    </div>
  );
}

/**
 * What the list shows above its first message, below its last message, and if it has no messages.
 */
import type { Catalogue } from '../i18n/catalogue.ts';
import { IconButton } from '../icon-button.tsx';
import { CloseIcon } from '../icons.tsx';
import { olderState } from '../model/older.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { RoomView } from '../workspace/room-view.ts';

export function Blank({ isJoining, t }: { isJoining: boolean; t: Catalogue }) {
  if (isJoining) {
    return (
      <div class="blank">
        <p>{t.joining}</p>
      </div>
    );
  }
  return (
    <div class="blank">
      <h2>{t.emptyTitle}</h2>
      <p>{t.emptyDetail}</p>
    </div>
  );
}

interface EndProps {
  view: RoomView;
  t: Catalogue;
  onLoad: () => void;
}

export function Older({ view, t, onLoad }: EndProps) {
  const { list, firstKept } = view;
  const state = olderState(list, firstKept);
  const notice = view.notice === 'gap' ? t.gap : view.notice === 'rolled-back' ? t.rolledBack : null;
  return (
    <div class="older">
      {list.error !== null && (
        <p class="field-error" role="alert" data-testid="older-problem">
          {list.error.code === 'unavailable' ? t.historyUnavailable : t.historyFailed}
        </p>
      )}
      {state === 'more' ? (
        <button
          type="button"
          class="quiet-button"
          data-testid="older-button"
          disabled={list.isLoading}
          onClick={onLoad}
        >
          {list.isLoading ? t.loadingOlder : list.error === null ? t.loadOlder : t.tryAgain}
        </button>
      ) : (
        <p class="hint" data-testid="beginning">
          {state === 'beginning' ? t.beginning : t.oldestKept}
        </p>
      )}
      {notice !== null && (
        <p class="slice-notice" data-testid="slice-notice">
          {notice}
        </p>
      )}
    </div>
  );
}

/** Below the last message that is shown, if newer ones exist. */
export function Newer({ view, t, onLoad }: EndProps) {
  const { hasNewer, newer } = view.list;
  if (!hasNewer) return null;
  return (
    <div class="older">
      {newer.error !== null && (
        <p class="field-error" role="alert">
          {t.newerFailed}
        </p>
      )}
      <button type="button" class="quiet-button" data-testid="newer-button" disabled={newer.isLoading} onClick={onLoad}>
        {newer.isLoading ? t.loadingOlder : newer.error === null ? t.loadNewer : t.tryAgain}
      </button>
    </div>
  );
}

/** The state of a jump to another part of the room: it is loading, or an error. */
export function JumpState({ view, store, t }: { view: RoomView; store: RoomStore; t: Catalogue }) {
  const { isLoading, error } = view.list.jump;
  const words = error?.code === 'not_found' ? t.jumpMissing : t.jumpFailed;
  return (
    <div class="jump-state" role="status">
      {isLoading && (
        <p class="jump-note" data-testid="jump-loading">
          {t.jumping}
        </p>
      )}
      {!isLoading && error !== null && (
        <p class="jump-note" data-testid="jump-problem">
          <span>{words}</span>
          {error.retryable && (
            <button type="button" class="link-button" data-testid="jump-retry" onClick={store.retryJump}>
              {t.tryAgain}
            </button>
          )}
          <IconButton
            label={t.closePanel}
            onClick={() => {
              store.conversation.dismissJump();
              document.getElementById('message-input')?.focus();
            }}
          >
            <CloseIcon />
          </IconButton>
        </p>
      )}
    </div>
  );
}

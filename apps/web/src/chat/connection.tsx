import type { ConnectionState } from '@maru/client';
import { useWords } from '../i18n/index.ts';

type Shown = 'connecting' | 'connected' | 'degraded' | 'offline';

const shownOf = (connection: ConnectionState): Shown => (connection.state === 'ended' ? 'offline' : connection.state);

/** Always there, in a word: whether what one writes arrives. */
export function ConnectionPill({ connection }: { connection: ConnectionState }) {
  const { t } = useWords();
  const shown = shownOf(connection);
  return (
    <span class="pill" data-testid="connection-state" data-state={shown}>
      <span class="dot" aria-hidden="true" />
      {t[shown]}
    </span>
  );
}

/** What it means, and what can be done, for as long as it is not well. The region stays, so that changes are announced. */
export function ConnectionBanner({ connection, onRetry }: { connection: ConnectionState; onRetry: () => void }) {
  const { t } = useWords();
  const shown = shownOf(connection);
  return (
    <div role="status" class="banner-region">
      {shown !== 'connected' && (
        <div class="banner" data-testid="connection-banner" data-state={shown}>
          <span>
            {shown === 'offline' ? t.offlineDetail : shown === 'degraded' ? t.degradedDetail : t.connectingDetail}
          </span>
          {shown === 'offline' && (
            <button type="button" class="link-button" onClick={onRetry}>
              {t.tryNow}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

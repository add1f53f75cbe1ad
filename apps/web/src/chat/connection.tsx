import type { ConnectionState } from '@maru/client';
import { useWords } from '../i18n/index.ts';

type Shown = 'connecting' | 'connected' | 'degraded' | 'offline';

const shownOf = (connection: ConnectionState): Shown => (connection.state === 'ended' ? 'offline' : connection.state);

/** The connection state in one word, always visible. */
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

/**
 * Explains a bad connection state and what to do. The region is always in the page, so that screen
 * readers announce changes.
 */
export function ConnectionBanner({ connection, onRetry }: { connection: ConnectionState; onRetry: () => void }) {
  const { t } = useWords();
  const shown = shownOf(connection);
  return (
    <div role="status" class="banner-region">
      {shown !== 'connected' && (
        <div class="banner" data-testid="connection-banner" data-state={shown}>
          <span>
            {shown === 'offline' ? t.offlineDetail : shown === 'degraded' ? t.degradedDetail : t.connectingDetail}
            {connection.state === 'offline' && connection.error && ` ${t.refusedBecause(connection.error.message)}`}
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

import type { ConnectionState } from '@maru/client';
import { useContext } from 'preact/hooks';
import type { Catalogue } from '../i18n/catalogue.ts';
import { useWords } from '../i18n/index.ts';
import { KeptContext, type KeptIn } from '../session/kept.ts';

type Shown = 'connecting' | 'connected' | 'late' | 'degraded' | 'offline';

const shownOf = (connection: ConnectionState): Shown => (connection.state === 'ended' ? 'offline' : connection.state);

/** The connection state in one word, always visible. */
export function ConnectionPill({ connection }: { connection: ConnectionState }) {
  const { t } = useWords();
  const shown = shownOf(connection);
  return (
    <span class="pill" data-testid="connection-state" data-state={shown}>
      <span class="dot" aria-hidden="true" />
      <span class="pill-word">{t[shown]}</span>
    </span>
  );
}

function detailOf(t: Catalogue, connection: ConnectionState, keptIn: KeptIn): string {
  if (connection.state === 'connecting') return t.connectingDetail;
  const kept = { device: t.keptOnDevice, tab: t.keptInTab, page: t.keptInPage }[keptIn];
  if (connection.state === 'late') return `${t.lateDetail} ${kept}`;
  if (connection.state === 'degraded') return `${t.degradedDetail} ${kept}`;
  const error = connection.state === 'offline' ? connection.error : undefined;
  if (error?.reason === 'too_many_connections') return t.tooManyConnections;
  const detail = `${t.offlineDetail} ${kept}`;
  return error === undefined ? detail : `${detail} ${t.refusedBecause(error.message)}`;
}

/**
 * Explains a bad connection state and what to do. The live region is always in the page. Otherwise
 * screen readers would not announce changes.
 */
export function ConnectionBanner({ connection, onRetry }: { connection: ConnectionState; onRetry: () => void }) {
  const { t } = useWords();
  const keptIn = useContext(KeptContext);
  const shown = shownOf(connection);
  return (
    <div role="status" class="banner-region">
      {shown !== 'connected' && (
        <div class="banner" data-testid="connection-banner" data-state={shown}>
          <span>{detailOf(t, connection, keptIn)}</span>
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

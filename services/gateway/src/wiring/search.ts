/** Builds the search. */
import type { Replicas } from '@maru/archive-db';
import type { GatewayConfig } from '../config.ts';
import { createFoundCheck } from '../log/found-check.ts';
import type { Handlers, MayRead } from '../requests/handler.ts';
import { searchHandlers } from '../requests/search.ts';
import { createSearch, searchWithoutArchive } from '../search/search.ts';
import type { Store } from './store.ts';

export function createSearchHandlers(options: {
  config: GatewayConfig;
  store: Store;
  /** Undefined if this cluster has no archive. */
  archive: Pick<Replicas, 'read'> | undefined;
  mayRead: MayRead;
  now: () => number;
}): Pick<Handlers, 'search'> {
  const { config, store, archive, mayRead, now } = options;
  if (archive === undefined) return searchHandlers({ search: searchWithoutArchive({ mayRead }), now });
  const search = createSearch({
    ...{ archive, mayRead, now },
    // The other connections are reserved for old pages.
    searchesMax: Math.max(1, Math.floor(config.postgresPoolMax / 2)),
    deadlineMs: config.archiveDeadlineMs,
    roomList: store.roomList,
    checkFound: createFoundCheck({ store: store.connections.read, seen: store.seen }),
  });
  return searchHandlers({ search, now });
}

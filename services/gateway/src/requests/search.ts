/** Searching for messages, for sockets and HTTP. */
import type { Search } from '../search/search.ts';
import type { Handlers } from './handler.ts';

/** A separate queue, so a slow search does not delay pages of history. */
const SEARCH_QUEUE = 'search';
/** Search time for the price of one event. A search is the most expensive read. */
const MS_PER_EVENT = 20;

export function searchHandlers(options: { search: Search; now: () => number }): Pick<Handlers, 'search'> {
  const { search, now } = options;
  return {
    search: (caller, request) =>
      caller.queues.run(SEARCH_QUEUE, async () => {
        const beganMs = now();
        try {
          const { data, bytes } = await search(caller.user.id, request);
          caller.charge(bytes);
          return { data };
        } finally {
          caller.chargeEvents(Math.floor((now() - beganMs) / MS_PER_EVENT));
        }
      }),
  };
}

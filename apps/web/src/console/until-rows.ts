/** A page may be empty although more follow, because the server omits rows after it read them. */
import type { Page } from './types.ts';

/** Maximum pages to read for one that has rows. */
export const LOOKED_PAGES_MAX = 10;

type Read<T> = (cursor: string | undefined) => Promise<Page<T>>;

/** Reads on until there are rows. The last page that it read may be empty and have a cursor. */
export const untilRows =
  <T>(read: Read<T>): Read<T> =>
  async (first) => {
    let page = await read(first);
    for (let looked = 1; looked < LOOKED_PAGES_MAX; looked++) {
      if (page.items.length > 0 || page.cursor === undefined) break;
      page = await read(page.cursor);
    }
    return page;
  };

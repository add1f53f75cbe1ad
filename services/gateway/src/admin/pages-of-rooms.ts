/** The rooms of one server, page by page. */
import type { Redis } from 'ioredis';
import { roomMetaPattern, roomOfMetaKey } from '../keys.ts';

/** `COUNT` of one `SCAN` step. */
const SCAN_COUNT = 500;

export async function* pagesOfRooms(redis: Redis): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', roomMetaPattern(), 'COUNT', SCAN_COUNT);
    cursor = next;
    // A scan may return a key twice.
    yield [...new Set(found)].map(roomOfMetaKey).filter((room) => room !== undefined);
  } while (cursor !== '0');
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpResult, RoomsPage } from '@maru/client/http';
import { fakeScheduler } from '../testing/fake-scheduler.ts';
import { Directory, PAGE_ROOMS, ROOMS_MAX } from './directory-model.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));
const refused = (code: 'rate_limited' | 'unavailable', retryAfterMs?: number): HttpResult<RoomsPage> => ({
  ok: false,
  error: { code, message: '', retryable: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
});

/** A server with `count` rooms. It gives the answers in `first` before its own. */
function setUp(count: number, ...first: Array<HttpResult<RoomsPage>>) {
  const asked: Array<string | undefined> = [];
  const { scheduler, pass } = fakeScheduler();
  const directory = new Directory({
    scheduler,
    async list({ cursor, limit }) {
      asked.push(cursor);
      const answer = first.shift();
      if (answer !== undefined) return answer;
      const from = Number(cursor ?? 0);
      const to = Math.min(count, from + limit);
      const rooms = Array.from({ length: to - from }, (_, i) => ({
        ...{ room: `r${from + i}`, title: '', topic: '', online: 0 },
      }));
      return { ok: true, data: to < count ? { rooms, cursor: String(to) } : { rooms } };
    },
  });
  return { directory, asked, pass };
}

describe('the directory', () => {
  it('reads one page, and further pages on request', async () => {
    const { directory, asked } = setUp(PAGE_ROOMS + 1);
    assert.equal(directory.get().state, 'reading');
    await settled();
    assert.deepEqual([directory.get().rooms.length, directory.get().state], [PAGE_ROOMS, 'more']);
    directory.more();
    directory.more();
    await settled();
    assert.deepEqual([directory.get().rooms.length, directory.get().state], [PAGE_ROOMS + 1, 'complete']);
    directory.more();
    assert.deepEqual(asked, [undefined, String(PAGE_ROOMS)]);
  });

  it('reads to the end for a search, and stops when the search ends', async () => {
    const { directory } = setUp(PAGE_ROOMS * 3);
    directory.readOn(true);
    await settled();
    await settled();
    assert.deepEqual([directory.get().rooms.length, directory.get().state], [PAGE_ROOMS * 3, 'complete']);
    const stopped = setUp(PAGE_ROOMS * 3);
    stopped.directory.readOn(true);
    stopped.directory.readOn(false);
    await settled();
    assert.equal(stopped.directory.get().state, 'more');
  });

  it('holds no more rooms than its limit, and reports that', async () => {
    const { directory, asked } = setUp(ROOMS_MAX + PAGE_ROOMS);
    directory.readOn(true);
    for (let i = 0; i < 40; i++) await settled();
    assert.deepEqual([directory.get().rooms.length, directory.get().state], [ROOMS_MAX, 'full']);
    assert.equal(asked.length, ROOMS_MAX / PAGE_ROOMS);
  });

  it('continues by itself when the server allows it again', async () => {
    const { directory, pass } = setUp(3, refused('rate_limited', 700));
    await settled();
    assert.equal(directory.get().state, 'reading');
    pass(700);
    await settled();
    assert.equal(directory.get().state, 'complete');
  });

  it('reports a failure, and tries again on request', async () => {
    const { directory } = setUp(3, refused('unavailable'));
    await settled();
    assert.equal(directory.get().state, 'failed');
    directory.more();
    await settled();
    assert.deepEqual([directory.get().rooms.length, directory.get().state], [3, 'complete']);
  });
});

/**
 * The archive may have replicas. A second read asks for all that the first one had, since the hot
 * log gives only the changes after that.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundEntry, Freshness } from '@maru/archive-db';
import { parseQuery } from '@maru/search-text';
import { createChange } from '../log/archived-changes.ts';
import type { ArchivedPage, HistoryStore, PageQuery } from '../log/history-store.ts';
import type { HotLog, LateChange } from '../log/hot-log.ts';
import { readAcross } from '../log/read-across.ts';
import type { ChangeRequest } from '../log/room-log.ts';
import { createCurrent } from '../search/current.ts';

const POSITION = 9;
const half = { entries: [], hasMore: false };
const page: ArchivedPage = {
  ...{ epoch: '1.a', first: 1, position: POSITION, center: undefined },
  ...{ older: half, newer: half, root: undefined },
};
const late: LateChange[] = [
  { seq: 10, ts: 1, n: 1, author: 'mina', isMessage: false, head: '"type":"message.delete"', tail: '"data":{"seq":3}' },
];

/** Notes what each read asks for. */
function startHistory() {
  const asked: number[] = [];
  const history: HistoryStore = {
    async readPage(_query, { atLeast }) {
      asked.push(atLeast);
      return page;
    },
  };
  return { asked, history };
}

test('the changes of a page are applied to an archive that is not older than the page', async () => {
  const { asked, history } = startHistory();
  const hot = { epoch: '1.a', head: 10, first: 8, archived: 5, archivedFrom: 1, late };
  const query = { of: { kind: 'entries' } } as PageQuery;
  const options = { history, deadlineMs: 1_000, now: () => 0, plan: () => query, readAgain: async () => hot };
  await readAcross(options, async () => hot);
  assert.deepEqual(asked, [5, POSITION]);
});

test('the facts about an archived message are not older than the changes that they include', async () => {
  const { asked, history } = startHistory();
  const log = {
    changeArchived: async () => ({ outcome: 'archived' }),
    readHot: async () => ({ epoch: '1.a', archived: 5 }),
    readLate: async () => ({ epoch: '1.a', head: 10, first: 8, newest: '10', late }),
  } as unknown as HotLog;
  const change = createChange({ log, history, deadlineMs: 1_000, now: () => 0 });
  const request = { room: 'tea', userId: 'mina', change: { type: 'delete', seq: 3 } } as unknown as ChangeRequest;
  assert.equal((await change(request)).outcome, 'not_found');
  assert.deepEqual(asked, [5, POSITION]);
});

test('what a search found is read again from an archive that is not older', async () => {
  const needs: Array<Freshness | undefined> = [];
  const archive = {
    async read<T>(_fn: unknown, options?: { need?: Freshness }): Promise<T> {
      needs.push(options?.need);
      return [] as T;
    },
  };
  const checkFound = async () => ({ epoch: '1.a', first: 8, cleared: 0, entries: [], late });
  const current = createCurrent({ archive, checkFound, leftMs: () => 1_000 });
  const parsed = parseQuery('hello') ?? assert.fail();
  await current('jun', parsed, [{ room: 'tea', epoch: '1.a', position: POSITION, seq: 3 } as FoundEntry]);
  assert.deepEqual(needs, [{ room: 'tea', epoch: '1.a', position: POSITION }]);
});

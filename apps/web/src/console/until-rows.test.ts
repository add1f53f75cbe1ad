import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from './types.ts';
import { LOOKED_PAGES_MAX, untilRows } from './until-rows.ts';

/** Pages without rows, and then one that has a row and is the last. */
function list(emptyPages: number) {
  const asked: Array<string | undefined> = [];
  const read = untilRows(async (cursor): Promise<Page<string>> => {
    asked.push(cursor);
    return asked.length <= emptyPages ? { items: [], cursor: `${asked.length}` } : { items: ['row'] };
  });
  return { asked, read };
}

test('an empty page with a cursor is read on until there are rows', async () => {
  const { asked, read } = list(2);
  assert.deepEqual(await read(undefined), { items: ['row'] });
  assert.deepEqual(asked, [undefined, '1', '2']);
});

test('a page with rows, and the last page, are read alone', async () => {
  const { asked, read } = list(0);
  await read('here');
  assert.deepEqual(asked, ['here']);
  assert.deepEqual(await untilRows(async () => ({ items: [] }))(undefined), { items: [] });
});

test('the number of empty pages is limited, and the cursor continues', async () => {
  const { asked, read } = list(LOOKED_PAGES_MAX + 1);
  const { cursor } = await read(undefined);
  assert.deepEqual([asked.length, cursor], [LOOKED_PAGES_MAX, `${LOOKED_PAGES_MAX}`]);
  assert.deepEqual((await read(cursor)).items, ['row']);
});

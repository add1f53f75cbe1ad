import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MaruError } from '@maru/protocol';
import { myDataWithoutArchive } from './my-data.ts';

test('without an archive, an export or an erasure is unavailable, and the error says why', async () => {
  const myData = myDataWithoutArchive();
  const refused = (error: MaruError) => error.code === 'unavailable' && error.message.includes('no archive');
  await assert.rejects(myData.export('mina', undefined).next(), refused);
  await assert.rejects(myData.erase({ id: 'mina', name: 'Mina' }), refused);
  await assert.rejects(myData.job('mina', 'a1'), refused);
});

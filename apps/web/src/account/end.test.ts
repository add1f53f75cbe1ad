import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { accountSession } from './account-session.ts';
import { endEverywhere } from './end.ts';

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

/** The server gives these answers in turn. Null: it cannot be reached. */
function answer(...codes: Array<string | null>): string[] {
  const asked: string[] = [];
  globalThis.fetch = async (_address, { headers } = {}) => {
    asked.push(new Headers(headers).get('authorization') ?? '');
    const code = codes.shift() ?? null;
    if (code === null) throw new TypeError('fetch failed');
    if (code === 'ok') return Response.json({});
    return Response.json({ code }, { status: 401 });
  };
  return asked;
}

const account = () => accountSession({ token: 'old', user: { id: 'mina', name: 'Mina' } }, true, () => {});

it('signs out an account on all devices, also if it is signed out there already', async () => {
  for (const [code, isDone] of [
    ['ok', true],
    ['unauthenticated', true],
    ['unavailable', false],
    [null, false],
  ] as const) {
    answer(code);
    assert.equal(await account().end?.(), isDone, String(code));
  }
});

it('signs out with a new token if the first one has expired', async () => {
  for (const [code, isDone] of [
    ['ok', true],
    ['unauthenticated', true],
    ['unavailable', false],
  ] as const) {
    const asked = answer('unauthenticated', code);
    assert.equal(await endEverywhere('old', async () => 'new'), isDone, code);
    assert.deepEqual(asked, ['Bearer old', 'Bearer new']);
  }
});

it('is signed out if the provider has ended the sign-in, but not if it gives no answer', async () => {
  answer('unauthenticated', 'unauthenticated');
  assert.equal(await endEverywhere('old', async () => null), true);
  const silent = () => Promise.reject(new Error('no answer'));
  assert.equal(await endEverywhere('old', silent), false);
  answer('unavailable');
  assert.equal(await endEverywhere('old', async () => null), false, 'other devices may be signed in');
});

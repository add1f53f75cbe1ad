import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RefusedSignIn } from '../audit/sign-ins.ts';
import { type Directory, DirectoryUnavailable, type Outcome } from '../directory/directory.ts';
import type { Attempt, Attempts } from './attempts.ts';
import { createPasswordSignIn } from './password-sign-in.ts';

const FLOOR_MS = 120;
const NOW_MS = 1_800_000_000_000;
const account = { id: 'mina', name: 'Mina', roles: ['admin'] };
const credentials = { username: 'mina', password: 'secret' };

/** `pausedId`: attempts of this account must wait, whichever name was typed. */
function rig(outcome: Outcome | Error, options: { waitMs?: number; pausedId?: string; canFind?: boolean } = {}) {
  const settled: string[] = [];
  const counted: string[] = [];
  const attemptOf = (kind: string): Attempt => ({
    succeeded: async () => void settled.push(`${kind} ok`),
    undone: async () => void settled.push(`${kind} undone`),
  });
  const attempts: Attempts = {
    beginByName: async () => options.waitMs ?? attemptOf('name'),
    beginById: async (id) => {
      counted.push(id);
      return id === options.pausedId ? 5_000 : attemptOf('id');
    },
  };
  const asked: string[] = [];
  const answer = async (): Promise<Outcome> => {
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const directory: Directory = {
    signIn: async ({ username }, mayTry) => {
      asked.push(username);
      // The second server of a directory asks again.
      await mayTry('mina');
      return (await mayTry('mina')) ? answer() : { ok: false, reason: 'paused', id: 'mina' };
    },
    find: answer,
    close: async () => {},
  };
  const issued: number[] = [];
  const signIn = createPasswordSignIn({
    ...{
      directory,
      lookups: options.canFind === false ? undefined : directory,
      attempts,
      sessionMaxS: 3_600,
      refusalMs: FLOOR_MS,
    },
    issue: async ({ id, name }, signedInAtS) => {
      issued.push(signedInAtS);
      return { token: 'a.b.c', user: { id, name }, expiresAt: NOW_MS };
    },
    now: () => performance.now(),
    storeNow: () => NOW_MS,
  });
  return { signIn, settled, counted, asked, issued };
}

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('accepted'),
    (error: RefusedSignIn) => error,
  );

describe('a sign-in with a password', () => {
  test('that is right gives a token and settles its attempts', async () => {
    const { signIn, settled, counted, issued } = rig({ ok: true, account });
    assert.equal((await signIn.signIn(credentials, 'a')).user.id, 'mina');
    assert.deepEqual(counted, ['mina']);
    assert.deepEqual([settled.sort(), issued], [['id ok', 'name ok'], [NOW_MS / 1_000]]);
  });

  test('gets the same answer after the same minimum time for every reason of a refusal', async () => {
    const seen = new Set<string>();
    for (const reason of ['unknown', 'password', 'unusable'] as const) {
      const { signIn, settled } = rig({ ok: false, reason });
      const startedAtMs = performance.now();
      const error = await refusalOf(signIn.signIn(credentials, 'a'));
      assert.ok(performance.now() - startedAtMs >= FLOOR_MS - 2, reason);
      assert.deepEqual([error.why, settled], [reason, []]);
      seen.add(JSON.stringify(error.toBody()));
    }
    const paused = await refusalOf(rig({ ok: true, account }, { pausedId: 'mina' }).signIn.signIn(credentials, 'a'));
    seen.add(JSON.stringify(paused.toBody()));
    assert.deepEqual([...seen].length, 1, [...seen].join());
  });

  test('that must wait does not ask the directory', async () => {
    const { signIn, asked } = rig({ ok: true, account }, { waitMs: 4_000 });
    const error = await refusalOf(signIn.signIn(credentials, 'a'));
    assert.deepEqual([error.code, error.retryAfterMs, asked], ['rate_limited', 4_000, []]);
  });

  test('does not count as a failure while the directory does not answer', async () => {
    const { signIn, settled } = rig(new DirectoryUnavailable('down'));
    assert.equal((await refusalOf(signIn.signIn(credentials, 'a'))).code, 'unavailable');
    assert.deepEqual(settled.sort(), ['id undone', 'name undone']);
  });

  test('with the right password reveals that the account may not sign in', async () => {
    for (const reason of ['disabled', 'group'] as const) {
      const error = await refusalOf(rig({ ok: false, reason, id: 'mina' }).signIn.signIn(credentials, 'a'));
      assert.deepEqual([error.code, error.why, error.user], ['forbidden', reason, 'mina']);
    }
  });
});

describe('a renewal', () => {
  const identity = { user: account, roles: [], expiresAtS: 0, issuedAtS: 0 };
  test('keeps the time of the password, and is refused after the maximum time', async () => {
    const { signIn, issued } = rig({ ok: true, account });
    const signedInAtS = NOW_MS / 1_000 - 3_600;
    await signIn.renew({ ...identity, signedInAtS });
    assert.deepEqual(issued, [signedInAtS]);
    const late = await refusalOf(signIn.renew({ ...identity, signedInAtS: signedInAtS - 1 }));
    assert.deepEqual([late.code, late.why], ['unauthenticated', 'session']);
  });

  test('asks for the password again where accounts cannot be looked up', async () => {
    const { signIn } = rig(new DirectoryUnavailable('there is no service account'), { canFind: false });
    const error = await refusalOf(signIn.renew({ ...identity, signedInAtS: NOW_MS / 1_000 }));
    assert.deepEqual([error.code, error.toBody().retryable], ['unauthenticated', false]);
  });

  test('is for tokens of a sign-in only, and refused once the account may not sign in', async () => {
    assert.equal((await refusalOf(rig({ ok: true, account }).signIn.renew(identity))).code, 'forbidden');
    const { signIn } = rig({ ok: false, reason: 'group', id: 'mina' });
    const error = await refusalOf(signIn.renew({ ...identity, signedInAtS: NOW_MS / 1_000 }));
    assert.deepEqual([error.code, error.why, error.user], ['unauthenticated', 'group', 'mina']);
  });
});

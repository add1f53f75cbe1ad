import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Directory, DirectoryUnavailable, type Outcome } from '../directory/directory.ts';
import type { Identity } from '../identity/tokens.ts';
import { createCurrentRoles } from './current-roles.ts';

const identityOf = (id: string, roles: string[] = ['admin', 'staff']): Identity => ({
  user: { id, name: id },
  roles,
  expiresAtS: 2_000,
  issuedAtS: 1_000,
  signedInAtS: 1_000,
});

const accountOf = (id: string, ...roles: string[]): Outcome => ({ ok: true, account: { id, name: id, roles } });

/** A directory with a variable answer. `asked` lists the requested ids. */
function setUp(find: Directory['find'] = async (id) => accountOf(id, 'admin')) {
  const asked: string[] = [];
  const state = { find, nowMs: 0 };
  const currentRoles = createCurrentRoles({
    directory: {
      find: (id) => {
        asked.push(id);
        return state.find(id);
      },
    },
    now: () => state.nowMs,
  });
  const rolesOf = async (id: string) => (await currentRoles(identityOf(id))).roles;
  return { asked, state, currentRoles, rolesOf };
}

test('removes the role of an account that lost it, half a second after the last answer', async () => {
  const { asked, state, rolesOf } = setUp();
  assert.deepEqual(await rolesOf('root'), ['admin', 'staff']);
  state.find = async (id) => accountOf(id, 'staff');
  state.nowMs = 499;
  assert.deepEqual(await rolesOf('root'), ['admin', 'staff']);
  assert.equal(asked.length, 1);
  state.nowMs = 500;
  assert.deepEqual(await rolesOf('root'), ['staff']);
  state.find = async () => ({ ok: false, reason: 'disabled' });
  state.nowMs = 1_000;
  assert.deepEqual(await rolesOf('root'), ['staff']);
});

test('asks once for concurrent calls', async () => {
  const { asked, rolesOf } = setUp();
  await Promise.all([rolesOf('root'), rolesOf('root'), rolesOf('other')]);
  assert.deepEqual(asked, ['root', 'other']);
});

test('does not ask for users without the role, or for tokens of other issuers', async () => {
  const { asked, currentRoles } = setUp(async () => ({ ok: false, reason: 'unknown' }));
  assert.deepEqual((await currentRoles(identityOf('mina', ['staff']))).roles, ['staff']);
  const { signedInAtS: _, ...foreign } = identityOf('root');
  assert.deepEqual((await currentRoles(foreign)).roles, ['admin', 'staff']);
  assert.deepEqual(asked, []);
});

test('uses the roles of the token while the directory is down or slow, and asks again after 5 s', async () => {
  const { asked, state, rolesOf } = setUp(async () => {
    throw new DirectoryUnavailable('down');
  });
  assert.deepEqual(await rolesOf('root'), ['admin', 'staff']);
  state.find = () => new Promise(() => {});
  state.nowMs = 4_999;
  await rolesOf('root');
  assert.equal(asked.length, 1);
  state.nowMs = 5_000;
  assert.deepEqual(await rolesOf('root'), ['admin', 'staff']);
  assert.equal(asked.length, 2);
  state.find = async (id) => accountOf(id);
  state.nowMs = 10_000;
  assert.deepEqual(await rolesOf('root'), ['staff']);
});

test('passes on unexpected errors', async () => {
  const { rolesOf } = setUp(async () => {
    throw new TypeError('a fault');
  });
  await assert.rejects(rolesOf('root'), TypeError);
});

test('keeps the answers for at most 1,000 administrators', async () => {
  const { asked, rolesOf } = setUp();
  for (let n = 0; n <= 1_000; n++) await rolesOf(`u-${n}`);
  await rolesOf('u-1000');
  assert.equal(asked.length, 1_001);
  await rolesOf('u-0');
  assert.equal(asked.length, 1_002);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeUsers, sessionsOnNode, usersOnNode } from './online-users.ts';

const session = (id: string, name = id) => ({
  user: { id, name },
  roles: [],
  beganAtMs: 0,
  program: undefined,
  peerAddress: undefined,
  subscriptions: { size: 0 },
});

test('pages of all nodes together contain every user once, in order', () => {
  const nodes = {
    a: ['u1', 'u2', 'u4', 'u7'].map((id) => session(id)),
    b: ['u2', 'u3', 'u2', 'u5', 'u6'].map((id) => session(id)),
  };
  const seen: string[] = [];
  let after = '';
  for (let page = 0; page < 10; page++) {
    const query = { contains: '', after, limit: 2 };
    const pages = Object.entries(nodes).map(([node, sessions]) => ({ node, answer: usersOnNode(sessions, query) }));
    const { users, cursor } = mergeUsers(pages, 2);
    seen.push(...users.map(({ id, connections, nodes: on }) => `${id} ${connections} ${on.join('+')}`));
    if (cursor === undefined) break;
    after = cursor;
  }
  assert.deepEqual(seen, ['u1 1 a', 'u2 3 a+b', 'u3 1 b', 'u4 1 a', 'u5 1 b', 'u6 1 b', 'u7 1 a']);
});

test('finds a part of an id or a name in any letter case', () => {
  const sessions = [session('guest-1', 'Mina'), session('min-2', 'Jun'), session('u3', 'Olga')];
  const found = usersOnNode(sessions, { contains: 'MIN', after: '', limit: 10 });
  assert.deepEqual(
    found.map(({ id }) => id),
    ['guest-1', 'min-2'],
  );
});

test('shows the program and the address of a session', () => {
  const [polling, web] = [session('u1'), { ...session('u1'), program: 'web', peerAddress: '192.0.2.1' }];
  const common = { sinceTs: 0, rooms: 0, roles: [] };
  assert.deepEqual(sessionsOnNode([polling, web]), [
    { ...common, transport: 'polling' },
    { ...common, transport: 'websocket', program: 'web' },
  ]);
});

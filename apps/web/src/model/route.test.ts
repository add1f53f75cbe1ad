import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalizeRoom, pathOfRoute, type Route, routeOf } from './route.ts';

const at = (pathname: string, hash = ''): Route => routeOf({ pathname, hash });
const room = (id: string, seq: number | null = null): Route => ({ view: 'room', room: id, seq });

describe('an address', () => {
  it('leads back to the route that it was built from', () => {
    for (const route of [
      room('lobby'),
      room('a.b_c-1', 17),
      { view: 'rooms' },
      { view: 'start' },
      { view: 'nowhere', typed: '공지 방' },
    ] as Route[])
      assert.deepEqual(at(pathOfRoute(route)), route);
  });

  it('may have capital letters, or end with a slash', () => {
    assert.deepEqual(at('/r/Lobby/'), room('lobby'));
    assert.deepEqual(at('/r/lobby/12/'), room('lobby', 12));
    assert.deepEqual(at('/rooms/'), { view: 'rooms' });
  });

  it('of an earlier version leads to the same place', () => {
    assert.deepEqual(at('/', '#/lobby'), room('lobby'));
    assert.deepEqual(at('/r/other/3', '#/lobby/17'), room('lobby', 17));
    for (const hash of ['#', '#/', '#lobby', '#/No', '#/a b', '#/a/b', '#/a/1/2', `#/${'x'.repeat(65)}`])
      assert.deepEqual(at('/', hash), { view: 'start' }, hash);
  });

  it('of no valid room keeps what was typed', () => {
    for (const [path, typed] of [
      ['/r/a%20b', 'a b'],
      ['/r/-', '-'],
      ['/r/%', '%'],
      [`/r/${'x'.repeat(65)}`, 'x'.repeat(65)],
    ] as const)
      assert.deepEqual(at(path), { view: 'nowhere', typed }, path);
  });
});

it('normalizes a typed room name', () => {
  assert.equal(normalizeRoom('  #Lobby '), 'lobby');
  assert.equal(normalizeRoom('#/lobby'), 'lobby');
});

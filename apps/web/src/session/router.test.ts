import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Route } from '../model/route.ts';
import { createRouter, type Page } from './router.ts';

const room = (id: string, seq: number | null = null): Route => ({ view: 'room', room: id, seq });

/** A fake window with a history, reduced to what the router needs. */
function fakePage(first: string) {
  const steps = [first];
  let at = 0;
  const listeners = new Map<string, Set<() => void>>();
  const tell = (...names: string[]) => {
    for (const name of names) for (const listener of listeners.get(name) ?? []) listener();
  };
  const url = () => new URL(steps[at] ?? '/', 'http://chat.example');
  const resolve = (path: string) => {
    const { pathname, hash } = new URL(path, url());
    return pathname + hash;
  };
  const page: Page = {
    location: {
      get pathname() {
        return url().pathname;
      },
      get hash() {
        return url().hash;
      },
    },
    history: {
      pushState(_, __, path) {
        const next = resolve(path);
        steps.splice(++at, steps.length, next);
      },
      replaceState: (_, __, path) => void steps.splice(at, 1, resolve(path)),
    },
    addEventListener: (type, listener) => void listeners.set(type, (listeners.get(type) ?? new Set()).add(listener)),
    removeEventListener: (type, listener) => void listeners.get(type)?.delete(listener),
  };
  return {
    page,
    steps,
    travel(by: number) {
      at += by;
      tell('popstate');
    },
    /** Simulates a link to a fragment, or a script that sets it. */
    setHash(hash: string) {
      const next = url().pathname + hash;
      steps.splice(++at, steps.length, next);
      tell('popstate', 'hashchange');
    },
    listeners: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0),
  };
}

describe('the router', () => {
  it('goes back and forward', () => {
    const { page, steps, travel } = fakePage('/r/a');
    const router = createRouter(page);
    router.go(room('b', 3));
    router.go({ view: 'rooms' });
    assert.deepEqual(steps, ['/r/a', '/r/b/3', '/rooms']);
    travel(-1);
    assert.deepEqual(router.get(), room('b', 3));
    travel(-1);
    assert.deepEqual(router.get(), room('a'));
    travel(2);
    assert.deepEqual(router.get(), { view: 'rooms' });
  });

  it('creates a new object, but no history entry, for the current place', () => {
    const { page, steps } = fakePage('/r/a/7');
    const router = createRouter(page);
    const before = router.get();
    let changes = 0;
    router.subscribe(() => changes++);
    router.go(room('a', 7));
    assert.notEqual(router.get(), before);
    assert.deepEqual([steps, changes], [['/r/a/7'], 1]);
  });

  it('accepts addresses of earlier versions, and rewrites them', () => {
    const { page, steps, setHash } = fakePage('/#/lobby/4');
    const router = createRouter(page);
    assert.deepEqual([router.get(), steps], [room('lobby', 4), ['/r/lobby/4']]);
    let changes = 0;
    router.subscribe(() => changes++);
    setHash('#/lobby/4');
    setHash('#/other');
    assert.deepEqual([router.get(), changes], [room('other'), 2]);
    assert.deepEqual(steps, ['/r/lobby/4', '/r/lobby/4', '/r/other']);
  });

  it('ignores other fragments, such as links to a part of the page', () => {
    const { page, setHash } = fakePage('/r/a');
    const router = createRouter(page);
    router.subscribe(() => assert.fail('it is the same place'));
    setHash('#message-input');
    assert.deepEqual(router.get(), room('a'));
  });

  it('removes the message from the address without navigation, and can return to it', () => {
    const { page, steps } = fakePage('/r/a/7');
    const router = createRouter(page);
    router.leavePlace('a');
    assert.deepEqual(steps, ['/r/a']);
    router.go(room('a', 7));
    assert.deepEqual(steps, ['/r/a', '/r/a/7']);
  });

  it('stops listening when it is closed', () => {
    const { page, listeners } = fakePage('/');
    createRouter(page).close();
    assert.equal(listeners(), 0);
  });
});

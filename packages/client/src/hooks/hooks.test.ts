import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createHooks, type HostHooks } from './index.ts';

/** A fake host that renders one component. State and effects are identified by call order. */
function createHost() {
  const states: unknown[] = [];
  const effects: Array<{ inputs: readonly unknown[]; end: () => void }> = [];
  let at = 0;
  let due: Array<() => void> = [];
  let isDirty = false;
  const hooks: HostHooks = {
    useState<S>(initial: S | (() => S)) {
      const index = at++;
      if (!(index in states)) states[index] = initial instanceof Function ? initial() : initial;
      const set = (next: S | ((before: S) => S)) => {
        states[index] = next instanceof Function ? next(states[index] as S) : next;
        isDirty = true;
      };
      return [states[index] as S, set];
    },
    useEffect(effect, inputs = []) {
      const index = at++;
      const known = effects[index];
      if (known?.inputs.every((input, i) => input === inputs[i])) return;
      due.push(() => {
        known?.end();
        const end = effect();
        effects[index] = { inputs, end: typeof end === 'function' ? end : () => {} };
      });
    },
  };
  return {
    hooks,
    /** Renders until nothing changes, and returns the last result. */
    render<T>(component: () => T): T {
      for (;;) {
        at = 0;
        isDirty = false;
        const result = component();
        for (const run of due.splice(0)) run();
        if (!isDirty) return result;
      }
    },
    unmount() {
      for (const effect of effects) effect?.end();
      due = [];
    },
  };
}

function createSource(name: string) {
  let view = { name, count: 0 };
  const listeners = new Set<() => void>();
  return {
    get: () => view,
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    closed: 0,
    close() {
      this.closed++;
    },
    change() {
      view = { ...view, count: view.count + 1 };
      for (const listener of listeners) listener();
    },
    listeners: () => listeners.size,
  };
}

it('opens a room while the component is mounted, and renders its changes', () => {
  const host = createHost();
  const hooks = createHooks(host.hooks);
  const rooms = new Map([createSource('a'), createSource('b')].map((source) => [source.get().name, source]));
  const conversations = { open: (room: string) => rooms.get(room) } as never;
  const render = (room: string) => host.render(() => hooks.useConversation(conversations, room)?.view as unknown);
  assert.deepEqual(render('a'), { name: 'a', count: 0 });
  rooms.get('a')?.change();
  assert.deepEqual(render('a'), { name: 'a', count: 1 });
  assert.deepEqual(render('b'), { name: 'b', count: 0 });
  assert.deepEqual([rooms.get('a')?.closed, rooms.get('a')?.listeners()], [1, 0]);
  host.unmount();
  assert.deepEqual([rooms.get('b')?.closed, rooms.get('b')?.listeners()], [1, 0]);
});

it('misses no change between the render and the subscription', () => {
  const host = createHost();
  const hooks = createHooks(host.hooks);
  const source = createSource('a');
  let isFirst = true;
  const view = host.render(() => {
    const now = hooks.useWatched(source);
    if (isFirst) source.change();
    isFirst = false;
    return now;
  });
  assert.deepEqual(view, { name: 'a', count: 1 });
});

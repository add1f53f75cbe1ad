import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatClient, PresenceView } from '@maru/client';
import type { PresenceUser, Status } from '@maru/protocol/events';
import { createPreferences } from '../settings/preferences.ts';
import { type Channel, watchIdle } from './idle.ts';
import { createOwnStatus } from './own-status.ts';

const MIN_MS = 60_000;

function createClock() {
  let nowMs = 0;
  let tasks: Array<{ atMs: number; run: () => void }> = [];
  const scheduler = {
    now: () => nowMs,
    after(delayMs: number, run: () => void) {
      const task = { atMs: nowMs + delayMs, run };
      tasks.push(task);
      return () => {
        tasks = tasks.filter((other) => other !== task);
      };
    },
  };
  const pass = (ms: number) => {
    const until = nowMs + ms;
    for (;;) {
      const next = tasks.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      tasks = tasks.filter((other) => other !== next);
      nowMs = next.atMs;
      next.run();
    }
    nowMs = until;
  };
  return { scheduler, pass, timers: () => tasks.length };
}

/** Tabs of one browser. */
function createTabs() {
  const clock = createClock();
  const channels: Channel[] = [];
  const openTab = () => {
    const target = new EventTarget();
    const channel: Channel = {
      onmessage: null,
      postMessage() {
        for (const other of channels) if (other !== channel) other.onmessage?.(new MessageEvent('message'));
      },
      close: () => void channels.splice(channels.indexOf(channel), 1),
    };
    channels.push(channel);
    const changes: boolean[] = [];
    let inputs = 0;
    const idle = watchIdle({
      ...{ scheduler: clock.scheduler, target, channel },
      onChange: () => void changes.push(idle.isIdle()),
      onInput: () => void inputs++,
    });
    return { idle, changes, inputs: () => inputs, use: () => void target.dispatchEvent(new Event('pointermove')) };
  };
  return { ...clock, openTab };
}

describe('idleness', () => {
  it('begins after the time without input, and ends with the next input', () => {
    const { openTab, pass, timers } = createTabs();
    const { idle, changes, use } = openTab();
    idle.setTimeout(10 * MIN_MS);
    pass(6 * MIN_MS);
    use();
    pass(9 * MIN_MS);
    assert.equal(idle.isIdle(), false);
    pass(1 * MIN_MS);
    assert.deepEqual([changes, timers()], [[true], 0], 'and no timer runs');
    use();
    assert.deepEqual([changes, timers()], [[true, false], 1]);
  });

  it('notices input every few seconds only, with one timer', () => {
    const { openTab, pass, timers } = createTabs();
    const { idle, inputs, use } = openTab();
    idle.setTimeout(5 * MIN_MS);
    for (let ms = 0; ms < 20_000; ms += 20) {
      pass(20);
      use();
    }
    assert.deepEqual([inputs(), timers()], [4, 1]);
  });

  it('is shared by all tabs', () => {
    const { openTab, pass } = createTabs();
    const [one, other] = [openTab(), openTab()];
    for (const { idle } of [one, other]) idle.setTimeout(5 * MIN_MS);
    pass(4 * MIN_MS);
    one.use();
    pass(4 * MIN_MS);
    assert.deepEqual([one.changes, other.changes], [[], []]);
    pass(1 * MIN_MS);
    assert.deepEqual([one.changes, other.changes], [[true], [true]]);
    other.use();
    assert.deepEqual(
      [one.changes, other.changes],
      [
        [true, false],
        [true, false],
      ],
    );
  });

  it('can be switched off, and then leaves no timer', () => {
    const { openTab, pass, timers } = createTabs();
    const { idle, changes, use } = openTab();
    idle.setTimeout(5 * MIN_MS);
    pass(5 * MIN_MS);
    idle.setTimeout(null);
    pass(60 * MIN_MS);
    assert.deepEqual([changes, timers()], [[true, false], 0]);
    use();
    idle.setTimeout(5 * MIN_MS);
    idle.close();
    pass(60 * MIN_MS);
    assert.deepEqual([changes, timers()], [[true, false], 0]);
  });
});

function setUp() {
  const { openTab: _, ...clock } = createTabs();
  const target = new EventTarget();
  const sent: string[] = [];
  let onPresence: (event: { room: string; view: PresenceView }) => void = () => {};
  const client = {
    on(_name: string, listener: typeof onPresence) {
      onPresence = listener;
      return () => {};
    },
    async setStatus(status: Status, text: string) {
      sent.push(text === '' ? status : `${status} ${text}`);
    },
  } as unknown as ChatClient;
  const preferences = createPreferences({ languages: [], storage: null, target: new EventTarget() });
  const own = createOwnStatus({
    ...{ client, ownId: 'me', preferences, scheduler: clock.scheduler },
    watchIdle: (on) => watchIdle({ scheduler: clock.scheduler, target, channel: null, ...on }),
  });
  const see = (status: PresenceUser['status'], text?: string) => {
    const user: PresenceUser = { id: 'me', name: 'Me', status, ...(text === undefined ? {} : { text }) };
    onPresence({ room: 'tea', view: { count: 1, users: new Map([['me', user]]), stale: false } });
  };
  const use = () => void target.dispatchEvent(new Event('keydown'));
  return { ...clock, own, preferences, sent, see, use, shown: () => own.get().status };
}

describe('the own status', () => {
  it('is not sent before the user has chosen one', () => {
    const { sent, see, pass } = setUp();
    pass(20_000);
    see('online');
    assert.deepEqual(sent, []);
  });

  it('becomes away with the idle user, keeps the text, and returns', () => {
    const { own, sent, use, pass, shown } = setUp();
    own.choose({ status: 'online', text: 'in Busan 🚄' });
    pass(10 * MIN_MS);
    assert.equal(shown(), 'away');
    use();
    assert.equal(shown(), 'online');
    assert.deepEqual(sent, ['online in Busan 🚄', 'away in Busan 🚄', 'online in Busan 🚄']);
  });

  for (const status of ['away', 'dnd', 'invisible'] as const)
    it(`stays ${status} if that was chosen`, () => {
      const { own, sent, use, pass } = setUp();
      own.choose({ status, text: '' });
      pass(60 * MIN_MS);
      use();
      assert.deepEqual(sent, [status]);
    });

  it('follows the choice of another device, but not its idleness', () => {
    const { own, sent, see, use, pass, shown } = setUp();
    pass(20_000);
    see('away');
    assert.deepEqual([shown(), own.chosen().status, sent], ['away', 'online', []]);
    pass(10_000);
    use();
    assert.deepEqual([shown(), sent.splice(0)], ['online', ['online']]);
    see('dnd');
    assert.equal(shown(), 'online', 'presence may show what was before');
    pass(20_000);
    see('dnd', 'writing');
    // It is sent, so a reconnect of this device does not undo it.
    assert.deepEqual([own.chosen(), sent.splice(0)], [{ status: 'dnd', text: 'writing' }, ['dnd writing']]);
    pass(20_000);
    see('dnd', 'writing');
    assert.deepEqual(sent, []);
  });

  it('ignores the choice of another user of this browser', () => {
    const { own, preferences, sent, shown } = setUp();
    own.choose({ status: 'dnd', text: '' });
    preferences.set({ status: { user: 'another', status: 'invisible', text: '' } });
    assert.deepEqual([shown(), sent], ['dnd', ['dnd']]);
  });

  it('follows the setting of the idle time', () => {
    const { preferences, pass, shown } = setUp();
    preferences.set({ awayAfterMin: 0 });
    pass(60 * MIN_MS);
    assert.equal(shown(), 'online');
    preferences.set({ awayAfterMin: 5 });
    assert.equal(shown(), 'away', 'the time has passed already');
  });
});

it('leaves the own status alone on an idle device while another one is in use', () => {
  const { own, preferences, sent, see, use, pass, shown } = setUp();
  pass(10 * MIN_MS);
  assert.deepEqual(sent.splice(0), ['away']);
  pass(20_000);
  see('online');
  preferences.set({ enterSends: false });
  assert.deepEqual([shown(), sent.splice(0)], ['online', []]);
  see('online', 'on the laptop');
  assert.deepEqual([own.chosen().text, sent.splice(0)], ['on the laptop', ['online on the laptop']]);
  pass(20_000);
  see('away', 'on the laptop');
  preferences.set({ enterSends: true });
  assert.deepEqual([shown(), sent.splice(0)], ['away', []]);
  use();
  assert.deepEqual([shown(), sent], ['online', ['online on the laptop']]);
});

it('becomes away again when the other device is gone without a word', () => {
  const { own, sent, see, use, pass, shown, timers } = setUp();
  pass(10 * MIN_MS + 20_000);
  see('online');
  pass(9 * MIN_MS);
  see('online', 'in Busan');
  pass(9 * MIN_MS);
  assert.equal(shown(), 'online', 'the other device is in use');
  pass(1 * MIN_MS);
  assert.deepEqual([shown(), sent.splice(0)], ['away', ['away', 'online in Busan', 'away in Busan']]);
  pass(20_000);
  see('online', 'in Busan');
  use();
  pass(9 * MIN_MS);
  assert.equal(shown(), 'online', 'this device is in use');
  pass(1 * MIN_MS + 20_000);
  see('online', 'in Busan');
  own.close();
  assert.equal(timers(), 0);
});

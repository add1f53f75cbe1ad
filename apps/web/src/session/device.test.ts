import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import {
  endSession,
  forgetSession,
  keepRenewed,
  loadSession,
  type Session,
  saveSession,
  watchSignOut,
} from './device.ts';

const MINA: Session = { token: 'a', user: { id: 'guest-1', name: 'Mina' }, stays: true };
const JUN: Session = { token: 'b', user: { id: 'guest-2', name: 'Jun' }, stays: true };

/** A storage that tells, as browsers tell the other tabs. */
function storage(onSet: (key: string, newValue: string) => void = () => {}) {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem(key: string, value: string) {
      items.set(key, value);
      onSet(key, value);
    },
    removeItem: (key: string) => void items.delete(key),
  };
}

let local: ReturnType<typeof storage>;

beforeEach(() => {
  const page = new EventTarget();
  local = storage((key, newValue) => page.dispatchEvent(Object.assign(new Event('storage'), { key, newValue })));
  for (const [name, value] of Object.entries({
    localStorage: local,
    sessionStorage: storage(),
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  }))
    Object.defineProperty(globalThis, name, { value, configurable: true });
});

/** Users whose tabs follow when `task` runs. */
function followers(task: () => void): string[] {
  const seen: string[] = [];
  const stops = [MINA, JUN].map((session) => watchSignOut(session, () => void seen.push(session.user.id)));
  task();
  for (const stop of stops) stop();
  return seen;
}

it('signs out the other tabs of the user, and no tab of another user', () => {
  saveSession(MINA);
  saveSession(JUN);
  assert.deepEqual(
    followers(() => endSession(JUN)),
    ['guest-2'],
  );
  assert.equal(local.items.size, 0);
});

it('does not remove the session that another user began on the device since', () => {
  saveSession(MINA);
  saveSession(JUN);
  forgetSession(MINA);
  assert.equal(loadSession()?.user.id, 'guest-2');
  assert.deepEqual(
    followers(() => endSession(MINA)),
    ['guest-1'],
  );
  assert.equal(loadSession()?.user.id, 'guest-2');
  forgetSession(JUN);
  assert.equal(loadSession(), null);
});

it('keeps a new token of the stored session only', () => {
  saveSession(MINA);
  keepRenewed({ ...MINA, token: 'a2' });
  assert.equal(loadSession()?.token, 'a2');
  saveSession(JUN);
  keepRenewed({ ...MINA, token: 'a3' });
  assert.equal(loadSession()?.token, 'b');
  endSession(JUN);
  keepRenewed({ ...JUN, token: 'b2' });
  assert.equal(loadSession(), null);
});

it('follows again after the same user signed in and out again', () => {
  const seen = followers(() => {
    for (let i = 0; i < 2; i++) {
      saveSession(MINA);
      endSession(MINA);
    }
  });
  assert.deepEqual(seen, ['guest-1', 'guest-1']);
});

it('does not tell other tabs when a session ends that is only in its tab', () => {
  const ofTab = { ...MINA, stays: false };
  saveSession(ofTab);
  assert.equal(loadSession()?.stays, false);
  assert.deepEqual(
    followers(() => endSession(ofTab)),
    [],
  );
  assert.equal(loadSession(), null);
});

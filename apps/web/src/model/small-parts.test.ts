import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { httpSchemas } from '@maru/protocol';
import type { PresenceUser } from '@maru/protocol/events';
import fc from 'fast-check';
import { fakeScheduler } from '../testing/fake-scheduler.ts';
import { isSendKey, type KeyPress } from './enter-key.ts';
import { nameProblem } from './name-check.ts';
import { initialOf, sortPeople, TINTS, tintOf } from './person.ts';
import { createStore } from './store.ts';
import {
  areSameTypists,
  createTypingSender,
  expireTyping,
  namedIds,
  receiveTyping,
  stopTyping,
  TYPING_SHOWN_MS,
  type Typists,
} from './typing.ts';

describe('the key that sends', () => {
  const press = (more: Partial<KeyPress>): KeyPress => ({
    key: 'Enter',
    shiftKey: false,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    isComposing: false,
    keyCode: 13,
    ...more,
  });

  it('is Enter alone', () => {
    assert.equal(isSendKey(press({}), true), true);
    for (const more of [{ key: 'a' }, { shiftKey: true }, { ctrlKey: true }, { altKey: true }, { metaKey: true }]) {
      assert.equal(isSendKey(press(more), true), false);
    }
  });

  it('is Ctrl or the command key with Enter, if Enter alone makes a new line', () => {
    for (const more of [{ ctrlKey: true }, { metaKey: true }]) assert.equal(isSendKey(press(more), false), true);
    for (const more of [{}, { shiftKey: true }, { altKey: true }, { ctrlKey: true, shiftKey: true }])
      assert.equal(isSendKey(press(more), false), false);
  });

  it('is never the Enter that ends a Korean syllable', () => {
    assert.equal(isSendKey(press({ isComposing: true }), true), false);
    assert.equal(isSendKey(press({ keyCode: 229, ctrlKey: true }), false), false);
  });
});

describe('a name', () => {
  it('passes the same checks as on the server', () => {
    const accepts = (name: string) => httpSchemas.guest.safeParse({ name }).success;
    for (const name of [
      '민아',
      ' ',
      '',
      'x'.repeat(64),
      'x'.repeat(65),
      '🐢'.repeat(64),
      'a\nb',
      'a\u202eb',
      '\ud800',
    ]) {
      assert.equal(nameProblem(name) === null, accepts(name), JSON.stringify(name));
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => assert.equal(nameProblem(name) === null, accepts(name))),
    );
  });

  it('has an initial of one visible character', () => {
    assert.equal(initialOf(' mina'), 'M');
    assert.equal(initialOf('민아'), '민');
    assert.equal(initialOf('👩‍👩‍👧‍👦 family'), '👩‍👩‍👧‍👦');
    assert.equal(initialOf('  '), '?');
  });

  it('has a tint, the same each time', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        assert.ok(tintOf(id) >= 0 && tintOf(id) < TINTS);
        assert.equal(tintOf(id), tintOf(id));
      }),
    );
  });
});

it('the own user comes first, and others by name', () => {
  const person = (id: string, name: string): PresenceUser => ({ id, name, status: 'online' });
  const people = [person('3', '하늘'), person('1', 'Zoe'), person('2', '가람'), person('4', '가람')];
  assert.deepEqual(
    sortPeople(people, '1', 'ko').map(({ id }) => id),
    ['1', '2', '4', '3'],
  );
});

describe('typing', () => {
  const signal = (id: string, active = true) => ({ room: 'lobby', user: { id, name: id }, active });

  it('expires by itself, and ends with a message', () => {
    let typists: Typists = receiveTyping(receiveTyping([], signal('a'), 0), signal('b'), 1_000);
    assert.deepEqual(
      expireTyping(typists, TYPING_SHOWN_MS).map(({ id }) => id),
      ['b'],
    );
    assert.equal(expireTyping(typists, 10), typists, 'nothing to do is no change');
    typists = stopTyping(typists, new Set(['a']));
    typists = receiveTyping(typists, signal('b', false), 2_000);
    assert.deepEqual([typists.length, expireTyping(typists, 3_000)], [1, []]);
  });

  it('changes the line only if other people type', () => {
    let typists: Typists = [];
    const ids: string[] = [];
    for (const id of ['a', 'b', 'a', 'c', 'd', 'e']) {
      typists = receiveTyping(typists, signal(id), 0);
      ids.push(namedIds(typists));
    }
    assert.deepEqual(ids, ['["a"]', '["a","b"]', '["a","b"]', '["a","b","c"]', 'many', 'many']);
    assert.ok(areSameTypists(typists, [...typists].reverse()));
    assert.ok(!areSameTypists(typists, typists.slice(1)));
  });

  it('keeps a bounded number of people', () => {
    let typists: Typists = [];
    for (let i = 0; i < 1_000; i++) typists = receiveTyping(typists, signal(String(i)), 0);
    assert.ok(typists.length <= 20);
  });

  it('is sent every two seconds at most, and ends four seconds after the last key', () => {
    const { scheduler, pass } = fakeScheduler();
    const reports: string[] = [];
    const sender = createTypingSender(scheduler, (active) => void reports.push(`${scheduler.now()} ${active}`));
    for (let i = 0; i < 10; i++) {
      sender.onInput(false);
      pass(500);
    }
    pass(10_000);
    assert.deepEqual(reports, ['0 true', '2000 true', '4000 true', '8500 false']);
  });

  it('ends once when the text is sent or emptied', () => {
    const { scheduler, pass } = fakeScheduler();
    const reports: boolean[] = [];
    const sender = createTypingSender(scheduler, (active) => void reports.push(active));
    sender.stop();
    sender.onInput(false);
    sender.onInput(true);
    sender.stop();
    pass(10_000);
    assert.deepEqual(reports, [true, false]);
  });
});

it('a store notifies ten times a second at most, and always about the last change', () => {
  const { scheduler, pass } = fakeScheduler();
  const store = createStore(0, scheduler);
  const seen: number[] = [];
  store.subscribe(() => void seen.push(store.get()));
  for (let i = 1; i <= 1_000; i++) {
    store.set(i);
    pass(1);
  }
  pass(100);
  assert.ok(seen.length <= 12, `${seen.length} times`);
  assert.equal(seen.at(-1), 1_000);
});

it('the page and its client read the wall clock in one place, and not for durations', () => {
  const root = new URL('../../../../', import.meta.url);
  const sources = ['apps/web/src', 'packages/client/src'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  );
  const reads = (file: string) => /Date\.now|new Date\(\)/.test(readFileSync(new URL(file, root), 'utf8'));
  assert.deepEqual(sources.filter(reads), ['packages/client/src/scheduler.ts']);
});

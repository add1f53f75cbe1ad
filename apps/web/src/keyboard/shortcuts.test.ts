import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type KeyPress, keyNames, matches, type PageShortcut, SHORTCUTS } from './shortcuts.ts';

const press = (given: Partial<KeyPress>): KeyPress => ({
  ...{ key: '', code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false },
  ...given,
});
const PAGE = Object.entries(SHORTCUTS).flatMap(([id, { scope }]) => (scope === 'page' ? [id as PageShortcut] : []));
const matched = (given: Partial<KeyPress>, isWriting = false) =>
  PAGE.filter((id) => matches(id, press(given), isWriting));

it('matches each shortcut by its keys', () => {
  assert.deepEqual(matched({ key: 'k', code: 'KeyK', ctrlKey: true }), ['find']);
  assert.deepEqual(matched({ key: 'k', code: 'KeyK', metaKey: true }), ['find']);
  assert.deepEqual(matched({ key: 'F6' }), ['nextRegion']);
  assert.deepEqual(matched({ key: 'F6', shiftKey: true }), ['previousRegion']);
  assert.deepEqual(matched({ key: 'ArrowUp', altKey: true }), ['previousRoom']);
  assert.deepEqual(matched({ key: 'ArrowDown', altKey: true, shiftKey: true }), ['nextUnread']);
});

it('matches a letter key by its position on a Korean layout', () => {
  assert.deepEqual(matched({ key: 'ㅏ', code: 'KeyK', ctrlKey: true }), ['find']);
});

it('ignores plain characters in a field and keys of a composition', () => {
  assert.deepEqual(matched({ key: '?', shiftKey: true }), ['shortcuts']);
  assert.deepEqual(matched({ key: '?', shiftKey: true }, true), []);
  assert.deepEqual(matched({ key: '/', ctrlKey: true }, true), ['shortcuts']);
  assert.deepEqual(matched({ key: '/', ctrlKey: true, isComposing: true }), []);
  assert.deepEqual(matched({ key: 'k', code: 'KeyK' }), []);
});

it('assigns no keys twice', () => {
  const all = PAGE.flatMap((id) => SHORTCUTS[id].chords.map((chord) => keyNames(chord, false).join('+')));
  assert.equal(new Set(all).size, all.length);
});

it('names keys by their labels on the keyboard', () => {
  assert.deepEqual(keyNames({ ctrl: true, code: 'KeyK', shown: 'K' }, false), ['Ctrl', 'K']);
  assert.deepEqual(keyNames({ ctrl: true, code: 'KeyK', shown: 'K' }, true), ['⌘', 'K']);
  assert.deepEqual(keyNames({ alt: true, shift: true, key: 'ArrowUp' }, false), ['Alt', 'Shift', '↑']);
});

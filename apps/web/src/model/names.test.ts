import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NAMES_MAX, nameOf, noteNames } from './names.ts';

it('keeps the newest name of each person, and falls back to the id', () => {
  const names = noteNames(noteNames(new Map(), [{ id: 'a', name: 'Ann' }]), [{ id: 'a', name: 'Anna' }]);
  assert.equal(nameOf(names, 'a'), 'Anna');
  assert.equal(nameOf(names, 'b'), 'b');
});

it('returns the same map if nothing is new or a name is missing', () => {
  const names = noteNames(new Map(), [{ id: 'a', name: 'Ann' }]);
  for (const people of [[], [{ id: 'a', name: 'Ann' }], [{ id: 'b', name: '' }]])
    assert.equal(noteNames(names, people), names);
});

it('drops the names that were noted first', () => {
  const people = Array.from({ length: NAMES_MAX + 1 }, (_, i) => ({ id: `u${i}`, name: `U${i}` }));
  const names = noteNames(new Map(), people);
  assert.equal(names.size, NAMES_MAX);
  assert.equal(names.has('u0'), false);
});

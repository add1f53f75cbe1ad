import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { presenceDiffChannel } from '@maru/presence-api';
import { nodeKeys, pairsKey, roomKeys, userKeys } from '../keys.ts';
import { pairOf, partsOf } from './node-store.ts';
import { SCRIPTS } from './scripts.ts';

describe('scripts of the presence store', () => {
  for (const script of Object.values(SCRIPTS)) {
    it(`${script.name} uses exactly the keys that its header declares`, () => {
      const code = script.source.replace(/^--.*$/gm, '');
      const used = [...code.matchAll(/KEYS\[(\d+)\]/g)].map((match) => Number(match[1]));
      assert.deepEqual(
        [...new Set(used)].sort((a, b) => a - b),
        script.keys.map((_, index) => index + 1),
      );
      assert.match(script.source, /^-- Returns /m);
    });
  }

  it('loads every file', () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.lua'));
    const loaded = Object.values(SCRIPTS).map(({ name }) => name);
    assert.deepEqual(files.sort(), loaded.sort());
  });
});

describe('keys of presence', () => {
  const tagOf = (key: string): string => /\{([^}]+)\}/.exec(key)?.[1] ?? '';

  it('share one hash tag within a room, a node and a user, and no tag with another kind', () => {
    const odd = 'a}b{c}:rooms d';
    const groups = [
      [...Object.values(roomKeys('lobby')), presenceDiffChannel('lobby')],
      [...Object.values(nodeKeys('gw-1')), pairsKey('gw-1', 7)],
      Object.values(userKeys(odd)),
      Object.values(userKeys('lobby')),
    ];
    const tags = groups.map((keys) => {
      const [first, ...others] = [...new Set(keys.map(tagOf))];
      assert.deepEqual(others, []);
      return first;
    });
    assert.equal(new Set(tags).size, groups.length);
    assert.equal(tags[0], 'lobby');
    for (const key of groups.flat()) assert.ok(key.startsWith('maru:'));
  });

  it('split a pair with any user id', () => {
    assert.deepEqual(partsOf(pairOf('lobby', 'a b c')), { room: 'lobby', userId: 'a b c' });
  });
});

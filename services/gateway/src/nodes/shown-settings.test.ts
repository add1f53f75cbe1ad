import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownSettings } from './shown-settings.ts';

test('settings are shown without secrets, and addresses without passwords', () => {
  const parse = (raw: string) => raw;
  const fields = {
    key: { env: 'KEY', doc: 'a key', parse, secret: true },
    url: { env: 'URL', doc: 'an address', parse },
    list: { env: 'LIST', doc: 'a list', parse },
    on: { env: 'ON', doc: 'a switch', parse },
    none: { env: 'NONE', doc: 'unset', parse, fallback: undefined },
  };
  const config = { key: 'hidden', url: 'https://u:pass@a.example/x', list: ['a', 'b'], on: false, none: undefined };
  const shown = shownSettings(fields, config);
  assert.deepEqual(
    shown.map(({ name, value }) => [name, value]),
    [
      ['KEY', null],
      ['URL', 'https://u:%E2%80%A6@a.example/x'],
      ['LIST', 'a,b'],
      ['ON', 'off'],
      ['NONE', null],
    ],
  );
  assert.doesNotMatch(JSON.stringify(shown), /hidden|pass@|:pass/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownSettings } from './shown-settings.ts';

const parse = (raw: string) => raw;
const fieldOf = (env: string, secret = false) => ({ env, doc: '', parse, secret });

/** The shown value of a setting that has this value and this text. */
const shownAs = (value: unknown, text?: string) =>
  shownSettings({ one: fieldOf('ONE') }, { one: value }, { ONE: text })[0]?.value;

test('settings are shown without secrets', () => {
  const fields = { key: fieldOf('KEY', true), on: fieldOf('ON'), none: fieldOf('NONE'), count: fieldOf('COUNT') };
  const config = { key: 'hidden', on: false, none: undefined, count: 5 };
  const shown = shownSettings(fields, config, { KEY: 'hidden', COUNT: '5' });
  assert.deepEqual(
    shown.map(({ name, value, secret }) => [name, value, secret]),
    [
      ['KEY', null, true],
      ['ON', 'off', false],
      ['NONE', null, false],
      ['COUNT', '5', false],
    ],
  );
});

test('lists and objects are shown as they were given, and defaults in one line', () => {
  const roles = 'admin=cn=ops,dc=example;helper=cn=help,dc=example';
  assert.equal(shownAs([{ role: 'admin', group: 'cn=ops,dc=example' }], roles), roles);
  assert.equal(shownAs([['cn=a', 'dc=b'], 'cn=c'], 'cn=a,dc=b;cn=c'), 'cn=a,dc=b;cn=c');
  assert.equal(shownAs(['name', 'preferred_username'], ''), 'name,preferred_username');
  assert.equal(shownAs([]), '');
});

test('addresses are shown without names, passwords and values of the query', () => {
  const cases = [
    ['http://collector:4318', 'http://collector:4318'],
    ['https://u:pass@a.example/x', 'https://…@a.example/x'],
    ['http://key@c:4318/?api_key=SECRET&b=c,d#e', 'http://…@c:4318/?api_key=…&b=…#e'],
    ['http://c:4318/v1?SECRET', 'http://c:4318/v1?…'],
    ['no address: a@b?c=d', 'no address: a@b?c=d'],
  ] as const;
  for (const [text, expected] of cases) assert.equal(shownAs(text, text), expected);
  assert.equal(shownAs(['x'], 'redis://a:b@one:1,redis://c:d@two:2'), 'redis://…@one:1,redis://…@two:2');
});

/** Tests of the pure parts: names, ids, and attributes of disabled accounts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISABLED_ATTRIBUTES, isDisabled } from './disabled.ts';
import { Entry } from './entry.ts';
import { filterOfId, idOf } from './ids.ts';
import { escapeValue, foldName, isName, normalName } from './names.ts';

test('a distinguished name has many spellings', () => {
  const spellings = [
    'CN=Chat Users,OU=groups,DC=example,DC=com',
    'cn=chat users, ou=Groups , dc=EXAMPLE,dc=com',
    'cn=chat  users,ou=groups,dc=example,dc=com',
    'cn=\\63hat\\20users,ou=groups,dc=example,dc=com',
  ];
  assert.equal(new Set(spellings.map(normalName)).size, 1);
  assert.notEqual(normalName('cn=a\\,ou=b,dc=c'), normalName('cn=a,ou=b,dc=c'));
  assert.equal(normalName('cn=채팅,dc=c'), normalName('CN=\\EC\\B1\\84\\ED\\8C\\85,dc=c'));
  assert.equal(normalName('a=1+b=2,dc=c'), normalName('B=2 + A=1,dc=c'));
  for (const text of ['', 'chat', 'cn', '=x', 'c n=x', 'cn=x,']) assert.equal(isName(text), false, text);
});

test('any value stays one value inside a name', () => {
  for (const value of ['mina,ou=admins', 'a+b=c', '"quoted"', ' spaces ', '#05', '\\', '<>;', '한글', '\0'])
    assert.equal(normalName(`uid=${escapeValue(value)},dc=c`).split(/(?<!\\),/).length, 2, value);
  assert.equal(escapeValue('a,b'), 'a\\2cb');
});

test('a GUID is formatted as usual, and found again', () => {
  const bytes = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
  const id = idOf(new Entry({ dn: 'cn=a', objectGUID: bytes }), 'objectGuid');
  assert.equal(id, '00112233-4455-6677-8899-aabbccddeeff');
  const filter = filterOfId(id ?? '', 'objectGUID') as unknown as { value: Buffer };
  assert.deepEqual(filter.value, bytes);
  for (const wrong of ['mina', `${id}0`, '*']) assert.equal(filterOfId(wrong, 'objectGUID'), undefined);
});

test('an id is a single value that is a valid user id', () => {
  const id = (values: string[]) => idOf(new Entry({ dn: 'cn=a', UID: values }), 'uid');
  assert.equal(id(['mina']), 'mina');
  for (const values of [[], ['mina', 'minakim'], ['guest-1'], ['a\nb'], [''], ['x'.repeat(129)]])
    assert.equal(id(values), undefined, JSON.stringify(values).slice(0, 40));
});

test('attributes of several directories mark an account as disabled', () => {
  const nowMs = Date.UTC(2026, 10, 29);
  const filetime = (ms: number) => String((ms + 11_644_473_600_000) * 10_000);
  const disabled = (attribute: string, value: string) =>
    isDisabled(DISABLED_ATTRIBUTES, (name) => (name === attribute ? [value] : []), nowMs);
  const cases: Array<[attribute: string, disabledBy: string[], not: string[]]> = [
    ['userAccountControl', ['514', '66050'], ['512', '66048', '0']],
    ['accountExpires', [filetime(nowMs - 1), '1'], ['0', '9223372036854775807', filetime(nowMs + 60_000)]],
    ['nsAccountLock', ['TRUE', 'true'], ['FALSE']],
    ['loginDisabled', ['TRUE'], ['FALSE']],
    ['pwdAccountLockedTime', ['000001010000Z'], ['20261129000000Z']],
    ['shadowExpire', ['1', '20786'], ['-1', '0', '20787', '99999']],
  ];
  for (const [attribute, disabledBy, not] of cases) {
    for (const value of disabledBy) assert.equal(disabled(attribute, value), true, `${attribute} ${value}`);
    for (const value of not) assert.equal(disabled(attribute, value), false, `${attribute} ${value}`);
  }
  assert.equal(
    isDisabled([], () => ['514'], nowMs),
    false,
  );
});

test('a name that a user types has many spellings', () => {
  assert.equal(foldName('Ｍｉ\u00a0ná'), 'mina');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actBytes, createBytesOf, entryBytes } from './stored-bytes.ts';

const bytesOf = (settings: Partial<Parameters<typeof createBytesOf>[0]> = {}) =>
  createBytesOf({ userMessagesPerSecond: 20, userBytesPerHour: undefined, guestBytesPerHour: undefined, ...settings });

test('a hundred guests cannot fill 512 MB within an hour, while a user may always send short messages', () => {
  const guest = bytesOf()('guest-1');
  assert.ok(100 * (guest.burst + 3_600 * guest.perSecond) <= 400_000_001);
  const user = bytesOf()('mina');
  const short = entryBytes({ id: 'u-0123456789', name: 'Mina' }, 'x'.repeat(100));
  assert.ok(user.perSecond >= 20 * short, `${user.perSecond}`);
});

test('the quotas grow with the rate of messages, unless they are set', () => {
  assert.equal(bytesOf({ userMessagesPerSecond: 200 })('guest-1').burst, 20_000_000);
  assert.equal(bytesOf({ guestBytesPerHour: 300_000 })('guest-1').burst, 300_000);
  assert.equal(bytesOf({ userBytesPerHour: 400_000 })('mina').burst, 400_000);
});

test('names, ids and JSON escapes of an entry are charged', () => {
  const plain = entryBytes({ id: 'u', name: 'n' }, 'text');
  assert.equal(entryBytes({ id: 'u', name: '준'.repeat(64) }, 'text') - plain, 238);
  assert.equal(entryBytes({ id: 'u'.repeat(128), name: 'n' }, 'text') - plain, 317);
  assert.equal(entryBytes({ id: 'u', name: 'n' }, '\u000bext') - plain, 6);
});

test('an act is charged for all its copies: in its entry, as the sanction, and in the audit', () => {
  const user = { id: 'u', name: 'n' };
  const act = { type: 'ban', user: 'mallory', reason: '' };
  const plain = actBytes(user, act);
  assert.ok(plain > entryBytes(user, ''));
  assert.equal(actBytes(user, { ...act, reason: '\u{1f600}'.repeat(512) }) - plain, 4 * 2_048 * 1.25);
});

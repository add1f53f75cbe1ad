import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditDetails } from './audit-details.ts';

const words = {
  messageAt: (seq: string) => `message ${seq}`,
  auditUntil: (time: string) => `until ${time}`,
  roomRoles: { member: 'member', moderator: 'a moderator', owner: 'owner' },
};
const formats = { count: String, time: (ts: number) => `time ${ts}` };

test('the audit shows the message, the role, the end and the address of an act', () => {
  const of = (event: Parameters<typeof auditDetails>[0]) => auditDetails(event, words, formats);
  assert.deepEqual(of({ seq: 7, untilTs: 9 }), ['message 7', 'until time 9']);
  assert.deepEqual(of({ role: 'moderator' }), ['a moderator']);
  assert.deepEqual(of({ role: 'of tomorrow' }), ['of tomorrow']);
  assert.deepEqual(of({ address: '203.0.113.7' }), ['203.0.113.7']);
  assert.deepEqual(of({}), []);
});

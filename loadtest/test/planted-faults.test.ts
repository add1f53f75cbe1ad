/** Plants one fault after the other in a server that has none, and sees that exactly the verdict on it changes. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type MemberReport, type MemberVerdict, runMember } from '../lib/chat-member.ts';
import { type Fault, startFakeChatServer } from './fake-chat-server.ts';
import { createNodeHost } from './node-host.ts';

/** Three members in one room for a second; the sums of what they found. */
async function chatWith(fault: Fault): Promise<Record<string, number>> {
  const server = await startFakeChatServer(fault);
  const now = Date.now();
  const found = new Map<string, number>();
  const count = (what: string, by = 1) => by > 0 && found.set(what, (found.get(what) ?? 0) + by);
  const report: MemberReport = {
    opened: () => {},
    connectionFailed: (ending) => count(`connection:${ending.kind}`),
    requestFailed: (event, code) => count(`${event}:${code}`),
    sent: () => {},
    acknowledged: () => {},
    delivered: (latencyMs) => count('without_latency', latencyMs === undefined ? 1 : 0),
  };
  const one = async (index: number): Promise<MemberVerdict> => {
    const guest = await fetch(`${server.url}/api/v1/guests`, { method: 'POST', body: '{}' });
    const { token } = (await guest.json()) as { token: string };
    return runMember({
      url: server.url,
      token,
      run: 'run',
      name: `run-${index}`,
      rooms: ['a'],
      schedule: { sendFromMs: now + 200, sendUntilMs: now + 1_200, settledByMs: now + 3_500 },
      sendEveryMs: 100,
      openTimeoutMs: 2_000,
      ackTimeoutMs: 1_000,
      host: createNodeHost(),
      report,
    });
  };
  const verdicts = await Promise.all([0, 1, 2].map(one));
  await server.close();
  for (const { rooms, complete, strays } of verdicts) {
    count('incomplete', complete ? 0 : 1);
    count('strays', strays);
    for (const { room: _, delivered, ...counts } of rooms) {
      assert.ok(delivered > 0);
      for (const [what, times] of Object.entries(counts)) count(what, times);
    }
  }
  return Object.fromEntries(found);
}

suite('a member finds what was planted, and nothing else', { concurrency: true }, () => {
  const expected: Array<[Fault, Record<string, number>]> = [
    ['none', {}],
    ['lost', { missing: 1 }],
    ['doubled', { duplicated: 1 }],
    ['swapped', { outOfOrder: 1 }],
    ['altered', { mismatched: 1 }],
    ['stored_twice', { storedTwice: 1 }],
    ['send_refused', { 'message:send:unavailable': 1 }],
    ['ack_withheld', { 'message:send:timeout': 1 }],
    ['connect_refused', { 'connection:refused': 3, incomplete: 3 }],
  ];
  for (const [fault, findings] of expected) test(fault, async () => assert.deepEqual(await chatWith(fault), findings));

  test('lost_last: with no later message to show the hole', async () => {
    const { missing = 0, ...others } = await chatWith('lost_last');
    assert.ok(missing > 0);
    assert.deepEqual(others, {});
  });

  test('acknowledged_not_stored: the next message takes its number', async () => {
    const { acknowledgedLost, ...others } = await chatWith('acknowledged_not_stored');
    assert.equal(acknowledgedLost, 1);
    // The sender of both, if one member sent both, sees the same number acknowledged twice.
    assert.ok(Object.keys(others).every((what) => what === 'sendsSwapped'));
  });

  test('cut: a connection that ended is an error, and its member is not counted as judged', async () => {
    const found = await chatWith('cut');
    assert.equal(found['connection:transport_closed'], 1);
    assert.equal(found.incomplete, 1);
    assert.equal(found.missing, undefined);
  });
});

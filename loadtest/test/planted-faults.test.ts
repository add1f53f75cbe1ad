/** Plants one fault after the other in a server that has none, and sees that exactly the verdict on it changes. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type MemberReport, type MemberVerdict, runMember } from '../lib/chat-member.ts';
import { createGroup } from '../lib/shapes.ts';
import { type Fault, startFakeChatServer } from './fake-chat-server.ts';
import { createNodeHost } from './node-host.ts';

/** What a cut alone leaves behind. */
const CUT = { 'connection:transport_closed': 1 };
const GROUP = createGroup({ name: 'all', clients: 3, rooms: 1, messagesPerS: [60] });

/** Three members in one room for two seconds, of which two leave for a while where nothing else happens; the sums of what they found. */
async function chatWith(fault: Fault): Promise<Record<string, number>> {
  const server = await startFakeChatServer(fault);
  const found = new Map<string, number>();
  let resumes = 0;
  const count = (what: string, by = 1) => by > 0 && found.set(what, (found.get(what) ?? 0) + by);
  const report: MemberReport = {
    opened: () => {},
    resumed: () => {
      resumes++;
    },
    notRecovered: (reason) => count(`not_recovered:${reason}`),
    connectionFailed: (ending) => count(`connection:${ending.kind}`),
    requestFailed: (event, code) => count(`${event}:${code}`),
    sent: () => {},
    acknowledged: () => {},
    delivered: (sentAtMs) => count('without_time', sentAtMs === undefined ? 1 : 0),
  };
  const one = (token: string, index: number): Promise<MemberVerdict> =>
    runMember({
      url: server.url,
      token,
      run: 'run',
      name: `run-${index}`,
      rooms: ['a'],
      schedule: {
        sendFromMs,
        phases: [{ name: 'steady', fromMs: sendFromMs, untilMs: sendUntilMs }],
        sendUntilMs,
        settledByMs: sendUntilMs + 6_000,
      },
      group: GROUP,
      absences: index === 0 || fault !== 'none' ? [] : [{ atMs: sendFromMs + 600, forMs: 700 }],
      goesOn: () => true,
      openTimeoutMs: 10_000,
      ackTimeoutMs: 4_000,
      host: createNodeHost(),
      report,
    });
  const tokens = await Promise.all([0, 1, 2].map(() => makeGuest(server.url)));
  // Many tests run at once, and a busy machine takes its time to connect them.
  const sendFromMs = Date.now() + 1_500;
  const sendUntilMs = sendFromMs + 2_000;
  const verdicts = await Promise.all(tokens.map(one));
  await server.close();
  for (const { rooms, complete, strays } of verdicts) {
    count('incomplete', complete ? 0 : 1);
    count('strays', strays);
    for (const { room: _, delivered, ...counts } of rooms) {
      assert.ok(delivered > 0);
      for (const [what, times] of Object.entries(counts)) count(what, times);
    }
  }
  if (fault === 'cut' || fault === 'asked_to_move') assert.equal(resumes, 1);
  return Object.fromEntries(found);
}

async function makeGuest(url: string): Promise<string> {
  const guest = await fetch(`${url}/api/v1/guests`, { method: 'POST', body: '{}' });
  return ((await guest.json()) as { token: string }).token;
}

suite('a member finds what was planted, and nothing else', { concurrency: 11 }, () => {
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
    ['cut', CUT],
    ['asked_to_move', {}],
    ['resume_hole', { ...CUT, missing: 1 }],
    ['resume_tail_lost', { ...CUT, missing: 1 }],
    ['resume_doubled', { ...CUT, duplicated: 1 }],
    ['resume_replayed', { ...CUT, duplicated: 1 }],
    ['resume_swapped', { ...CUT, outOfOrder: 1 }],
    ['resume_altered', { ...CUT, mismatched: 1 }],
    ['resume_unrecovered', { ...CUT, 'not_recovered:too_far': 1 }],
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

  for (const [fault, code] of [
    ['resume_refused', 'forbidden'],
    ['resume_unanswered', 'no_answer'],
  ] as const)
    test(`${fault}: a member whose room was not given back is not counted as judged`, async () => {
      const found = await chatWith(fault);
      assert.equal(found[`resume:${code}`], 1);
      assert.equal(found.incomplete, 1);
    });
});

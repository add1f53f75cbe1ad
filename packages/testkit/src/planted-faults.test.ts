/** The checker finds each planted fault, and reports nothing else. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CarefulClient } from './client/careful-client.ts';
import type { ActRequest } from './client/conversation.ts';
import { createNodeRuntime } from './client/node-runtime.ts';
import { pause } from './client/runtime.ts';
import type { ClientReport, ClientVerdict } from './client/verdict.ts';
import { startFakeServer } from './server/fake-server.ts';
import type { PlantedFault } from './server/planted-faults.ts';

/** The effect of a dropped connection alone. */
const CUT = { 'connection:transport_closed': 1 };
const SEND_EVERY_MS = 50;
const SEND_MS = 2_000;
const SETTLE_MS = 6_000;
/** Several tests run at once, and a busy machine takes some time to connect them. */
const CONNECT_MS = 1_500;

class Findings {
  readonly counts = new Map<string, number>();
  resumes = 0;

  add(what: string, by = 1): void {
    if (by > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  report(): ClientReport {
    return {
      opened: () => {},
      resumed: () => {
        this.resumes++;
      },
      notRecovered: (reason) => this.add(`not_recovered:${reason}`),
      connectionFailed: (ending) => this.add(`connection:${ending.kind}`),
      requestFailed: (event, code) => this.add(`${event}:${code}`),
      sent: () => {},
      acknowledged: () => {},
      received: () => {},
    };
  }

  addVerdict({ rooms, complete, strays }: ClientVerdict): void {
    this.add('incomplete', complete ? 0 : 1);
    this.add('strays', strays);
    for (const { room: _, delivered, ...counts } of rooms) {
      assert.ok(delivered > 0);
      for (const [what, times] of Object.entries(counts)) this.add(what, times);
    }
  }
}

/** The number of the last message of a round. The acts have it as target. */
const ROUND = 8;

/**
 * Each client sends messages, edits one, reacts to it, replies to it, reads, and deletes another.
 */
async function converse(client: CarefulClient, number: number): Promise<void> {
  const own = [...(client.conversation('a')?.view.newest() ?? [])].filter(({ deleted, thread }) => !deleted && !thread);
  const seq = own[0]?.seq;
  const other = own[1]?.from ?? '';
  const act = (request: ActRequest) => client.act('a', number, request);
  const text = (nowMs: number) => `text ${number} at ${nowMs}`;
  if (seq === undefined || number < ROUND) return client.send('a', number, text);
  switch (number % ROUND) {
    case 1:
      return act({ event: 'message:react', data: { seq, emoji: '👍', active: number < 2 * ROUND } });
    case 2:
      return client.send('a', number, text, { thread: seq, mentions: [other] });
    case 3:
      return client.read('a');
    case 4:
      return act({ event: 'message:pin', data: { seq, active: true } });
    case 5: {
      const mine = own.find(({ from }) => from === client.userId);
      if (mine === undefined) return;
      return act({ event: 'message:edit', data: { seq: mine.seq, text: `edited ${number}` } });
    }
    case 6: {
      const mine = own.filter(({ from }) => from === client.userId)[1];
      if (mine === undefined) return;
      return act({ event: 'message:delete', data: { seq: mine.seq } });
    }
    default:
      return client.send('a', number, text);
  }
}

/**
 * Three clients chat in one room. Without a fault, two of them leave for a while. @returns the
 * reported violations
 */
async function chatWith(fault: PlantedFault): Promise<Record<string, number>> {
  const server = await startFakeServer(fault);
  const findings = new Findings();
  const runtime = createNodeRuntime();
  const sendFromMs = Date.now() + CONNECT_MS;
  const sendUntilMs = sendFromMs + SEND_MS;
  const chat = async (index: number): Promise<ClientVerdict> => {
    const client = new CarefulClient({
      url: server.url,
      token: `guest-${index}`,
      run: 'run',
      name: `run-${index}`,
      runtime,
      openTimeoutMs: 10_000,
      ackTimeoutMs: 4_000,
      settledByMs: sendUntilMs + SETTLE_MS,
      conversations: true,
      report: findings.report(),
    });
    await client.join('a', sendUntilMs);
    await pause(runtime, sendFromMs + (index * SEND_EVERY_MS) / 3 - Date.now());
    if (fault === 'none' && index > 0) runtime.setTimeout(() => client.drop(700), 600);
    const sends: Promise<void>[] = [];
    for (let number = 0; Date.now() < sendUntilMs && (await client.ready()); number++) {
      sends.push(converse(client, number));
      await pause(runtime, SEND_EVERY_MS);
    }
    await Promise.all(sends);
    const verdict = await client.check(['a']);
    client.close();
    return verdict;
  };
  const verdicts = await Promise.all([0, 1, 2].map(chat));
  await server.close();
  for (const verdict of verdicts) findings.addVerdict(verdict);
  if (fault === 'cut' || fault === 'asked_to_move') assert.equal(findings.resumes, 1);
  return Object.fromEntries(findings.counts);
}

suite('a client finds the planted fault, and nothing else', { concurrency: 11 }, () => {
  const expected: Array<[PlantedFault, Record<string, number>]> = [
    ['none', {}],
    ['lost', { missing: 1 }],
    ['doubled', { duplicated: 1 }],
    ['swapped', { outOfOrder: 1 }],
    ['altered', { mismatched: 1, viewsDiffering: 1 }],
    // Each of the three clients reports the entry.
    ['forged', { invented: 3 }],
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
    ['resume_altered', { ...CUT, mismatched: 1, viewsDiffering: 1 }],
    ['resume_unrecovered', { ...CUT, 'not_recovered:too_far': 1 }],
  ];
  for (const [fault, findings] of expected) test(fault, async () => assert.deepEqual(await chatWith(fault), findings));

  const found: Array<[PlantedFault, ...string[]]> = [
    // The history is also a read.
    ['edit_unread', 'mismatched', 'viewsDiffering'],
    ['deleted_text_read', 'viewsDiffering'],
    ['reaction_miscounted', 'viewsDiffering'],
    ['reply_miscounted', 'viewsDiffering'],
    ['pin_unread', 'viewsDiffering'],
    ['unread_miscounted', 'countsWrong'],
    ['mention_miscounted', 'countsWrong'],
    ['read_position_lost', 'countsWrong'],
    ['act_refused', 'actsRefused'],
  ];
  for (const [fault, ...what] of found)
    test(fault, async () => assert.deepEqual(Object.keys(await chatWith(fault)), what));

  test('lost_last: no later message shows the gap', async () => {
    const { missing = 0, ...others } = await chatWith('lost_last');
    assert.ok(missing > 0);
    assert.deepEqual(others, {});
  });

  test('acknowledged_not_stored: the next message takes its number', async () => {
    const { acknowledgedLost, ...others } = await chatWith('acknowledged_not_stored');
    assert.equal(acknowledgedLost, 1);
    // If one client sent both messages, it also sees the same seq acknowledged twice.
    assert.ok(Object.keys(others).every((what) => what === 'sendsSwapped'));
  });

  for (const [fault, code] of [
    ['resume_refused', 'forbidden'],
    ['resume_unanswered', 'no_answer'],
  ] as const)
    test(`${fault}: the client does not count as checked`, async () => {
      const found = await chatWith(fault);
      assert.equal(found[`resume:${code}`], 1);
      assert.equal(found.incomplete, 1);
    });
});

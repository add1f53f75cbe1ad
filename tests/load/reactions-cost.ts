/**
 * Measures what many reactions on one message cost those who read the room:
 *
 *   node tests/load/reactions-cost.ts [reactions=50000]
 *
 * It prints how long a join takes compared with an empty room, how long pages of messages take that
 * are buried under the reactions, and what Redis keeps. The exit code is 1 if the join takes more
 * than twice as long.
 */
import { availableParallelism, cpus } from 'node:os';
import { onNode } from '../faults/store.ts';
import { connect, type TestClient } from '../support/client.ts';
import { startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { fillRoom, medianMs, type Reacted, type Timed } from '../support/reactions.ts';

const [, , count = '50000'] = process.argv;
const RATIO_MAX = 2;
const ROUNDS = 300;
const say = (line: string) => process.stdout.write(`${line}\n`);

async function printMemory(url: string, room: string, reactions: number): Promise<void> {
  const sizes = await onNode(url, async (redis) => {
    const keys = (await redis.call('KEYS', `maru:{${room}}:*`)) as string[];
    const size = async (key: string) =>
      [key, Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'))] as const;
    return Promise.all(keys.map(size));
  });
  const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(2)} MiB`;
  for (const [key, bytes] of sizes) say(`  ${key.replace(`maru:{${room}}:`, '').padEnd(12)} ${mebibytes(bytes)}`);
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  say(`  all          ${mebibytes(total)}, ${Math.round(total / reactions)} bytes a reaction`);
}

async function compare(reader: TestClient, { room, empty, plain, buried }: Reacted): Promise<number> {
  const join = (of: string): Timed => ({
    work: () => reader.ok('room:join', { room: of }),
    afterwards: () => reader.ok('room:leave', { room: of }),
  });
  const read = (which: { around?: number; before?: number; limit?: number }): Timed => ({
    work: () => reader.ok('messages:read', { room, ...which }),
  });
  // The rooms alternate, so that both are equally affected by slow moments of the machine.
  const [emptyMs, reactedMs, plainMs] = await medianMs([join(empty), join(room), join(plain)], ROUNDS);
  const [newestMs, aroundMs, beforeMs] = await medianMs(
    [read({}), read({ around: buried }), read({ before: buried, limit: 10 })],
    ROUNDS,
  );
  const ratio = (reactedMs ?? 0) / (emptyMs ?? 1);
  const ms = (value = 0) => `${value.toFixed(2)} ms`;
  say(`join: ${ms(reactedMs)}, in an empty room ${ms(emptyMs)}: ${ratio.toFixed(2)} times`);
  say(`join of a room with 50 plain messages: ${ms(plainMs)}`);
  say(`messages:read: the newest ${ms(newestMs)}, around the message ${ms(aroundMs)}, before it ${ms(beforeMs)}`);
  return ratio;
}

say(`${availableParallelism()} × ${cpus()[0]?.model}`);
const joins = { MARU_USER_JOINS_PER_SECOND: '10000', MARU_USER_JOINS_BURST: '10000' };
const site = await startGateways({ environment: { ...WIDE_LIMITS, ...joins } });
let ratio = Number.POSITIVE_INFINITY;
try {
  const url = site.gateways[0]?.url ?? '';
  const startedAtMs = Date.now();
  const reacted = await fillRoom({ url, token: tokenOf, reactions: Number(count) });
  say(`${reacted.reactions} reactions in ${((Date.now() - startedAtMs) / 1_000).toFixed(0)} s`);
  const reader = await connect(url, { token: tokenOf('reader') });
  ratio = await compare(reader, reacted);
  reader.close();
  say('memory in Redis:');
  await printMemory(site.redis.url, reacted.room, reacted.reactions);
} finally {
  await site.stop();
}
process.exitCode = ratio <= RATIO_MAX ? 0 : 1;

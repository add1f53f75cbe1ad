/**
 * Measures the CPU of a gateway with idle connections, by ping interval:
 *
 *   node tests/load/ping-cost.ts [connections=2000] [seconds=60]
 *
 * The connections are in a process of their own, so only the gateway's side is counted.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startGateways, tokenOf } from '../support/gateways.ts';

const [, , connections = '2000', seconds = '60'] = process.argv;
const INTERVALS_MS = [25_000, 10_000, 5_000];
const ROUNDS = 2;
/** Handshakes in one go, then a pause of 10 ms. */
const HANDSHAKES = 20;

/** Opens the connections, answers their pings, and does nothing else. */
async function connectAll(url: string): Promise<void> {
  const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  let sessions = 0;
  for (let n = 0; n < Number(connections); n++) {
    const socket = new WebSocket(address);
    socket.addEventListener('message', ({ data }) => {
      const packet = String(data);
      if (packet.startsWith('0')) socket.send(`40${JSON.stringify({ token: tokenOf(`user-${n}`) })}`);
      else if (packet === '2') socket.send('3');
      else if (packet.includes('"session"') && ++sessions === Number(connections)) process.send?.('connected');
    });
    if (n % HANDSHAKES === 0) await pause(10);
  }
}

async function measure(intervalMs: number): Promise<void> {
  const site = await startGateways({ environment: { MARU_PING_INTERVAL_MS: String(intervalMs) } });
  const [gateway] = site.gateways;
  if (gateway === undefined) throw new Error('no gateway');
  const crowd = fork(import.meta.filename, [connections, seconds], {
    env: { ...process.env, CONNECT_TO: gateway.url },
  });
  try {
    await once(crowd, 'message');
    await pause(intervalMs + 5_000);
    const before = await gateway.metric('process_cpu_seconds_total');
    await pause(Number(seconds) * 1_000);
    const used = (await gateway.metric('process_cpu_seconds_total')) - before;
    const percent = ((100 * used) / Number(seconds)).toFixed(2);
    process.stdout.write(`ping interval ${intervalMs / 1_000} s: ${percent} % of a core\n`);
  } finally {
    crowd.kill();
    await site.stop();
  }
}

const { CONNECT_TO } = process.env;
if (CONNECT_TO !== undefined) await connectAll(CONNECT_TO);
else {
  const cpu = `${availableParallelism()} × ${cpus()[0]?.model}`;
  process.stdout.write(`${connections} idle connections for ${seconds} s, ${cpu}, ${new Date().toISOString()}\n`);
  for (let round = 0; round < ROUNDS; round++) for (const intervalMs of INTERVALS_MS) await measure(intervalMs);
}

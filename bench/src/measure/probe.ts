/**
 * Loaded into every measured server with `node --import`, for all variants alike. Reads what only
 * the process itself knows: event-loop delay, heap, and bytes from and to Redis. Idle between
 * requests.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { ProbeAnswer, ProbeRequest } from './probe-client.ts';

/** Period of the histogram's timer. Each value includes it, so it is subtracted. */
const RESOLUTION_MS = 10;
/** The second collection frees what the first one finalized. */
const COLLECTIONS = 2;
const COLLECTION_PAUSE_MS = 100;

const storePort = Number(process.env.BENCH_REDIS_PORT);
const storeSockets: Socket[] = [];
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  socket.once('connect', () => {
    if (socket.remotePort === storePort) storeSockets.push(socket);
  });
});

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const beyondTimerMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);

async function answer({ probe, id }: ProbeRequest): Promise<ProbeAnswer> {
  if (probe === 'watch') {
    delay.reset();
    delay.enable();
  }
  if (probe === 'collect') {
    const { gc } = globalThis as { gc?: () => void };
    for (let round = 0; round < COLLECTIONS; round++) {
      gc?.();
      await wait(COLLECTION_PAUSE_MS);
    }
  }
  const loop = { p50: beyondTimerMs(delay.percentile(50)), p99: beyondTimerMs(delay.percentile(99)) };
  if (probe === 'read') delay.disable();
  const { rss, heapUsed, external } = process.memoryUsage();
  const sum = (bytes: (socket: Socket) => number) => storeSockets.reduce((total, socket) => total + bytes(socket), 0);
  return {
    id,
    probe: {
      loopDelayMs: loop,
      rssBytes: rss,
      heapBytes: heapUsed + external,
      fromStoreBytes: sum((socket) => socket.bytesRead),
      toStoreBytes: sum((socket) => socket.bytesWritten),
    },
  };
}

process.on('message', (message: ProbeRequest) => {
  if (typeof message === 'object' && 'probe' in message)
    void answer(message).then((response) => process.send?.(response));
});
// The channel must not keep a server alive.
process.channel?.unref();

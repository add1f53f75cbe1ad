/**
 * Loaded into every server that is measured (`node --import`), ours and the others alike, so that what only the process itself can tell is
 * told by the same code: event-loop delay, heap, bytes from and to the store. It runs nothing while it is not asked.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { ProbeAnswer, ProbeRequest } from './probe-client.ts';

/** The histogram's timer; its own period is part of each value and is taken off. */
const RESOLUTION_MS = 10;
/** Twice, with a pause: what a collection finalises is freed by the next one. */
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
  const sum = (of: (socket: Socket) => number) => storeSockets.reduce((total, socket) => total + of(socket), 0);
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
  if (typeof message === 'object' && 'probe' in message) void answer(message).then((told) => process.send?.(told));
});
// The channel alone must not keep a server alive, nor end one that ends by itself.
process.channel?.unref();

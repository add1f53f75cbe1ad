/**
 * Measures flushes of the disk that Redis writes to. With `appendfsync always` every
 * acknowledgement waits for one.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Size and pauses are similar to those of messages. */
const FLUSHES = 250;
const BYTES = 400;
const PAUSE_MS = 4;

export interface FlushTimes {
  directory: string;
  p50Ms: number;
  p99Ms: number;
}

/** Uses the temporary directory, where the Redis servers of the runs keep their files. */
export async function measureFlushes(): Promise<FlushTimes> {
  const directory = mkdtempSync(path.join(tmpdir(), 'maru-bench-'));
  const durationsMs: number[] = [];
  try {
    const file = openSync(path.join(directory, 'flushed'), 'w');
    const bytes = Buffer.alloc(BYTES);
    for (let i = 0; i < FLUSHES; i++) {
      writeSync(file, bytes);
      const startedMs = performance.now();
      fdatasyncSync(file);
      durationsMs.push(performance.now() - startedMs);
      await wait(PAUSE_MS);
    }
    closeSync(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
  durationsMs.sort((a, b) => a - b);
  const at = (share: number) => durationsMs[Math.floor(share * (durationsMs.length - 1))] ?? 0;
  return { directory: tmpdir(), p50Ms: at(0.5), p99Ms: at(0.99) };
}

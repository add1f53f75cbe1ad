/** How long the disk takes that the store writes to: with `appendfsync always` every acknowledgement waits for it. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Flushes, each of about what a message takes, with pauses as between messages. */
const FLUSHES = 250;
const BYTES = 400;
const PAUSE_MS = 4;

export interface FlushTimes {
  directory: string;
  p50Ms: number;
  p99Ms: number;
}

/** In the directory where the stores of the runs have theirs. */
export async function measureFlushes(): Promise<FlushTimes> {
  const directory = mkdtempSync(path.join(tmpdir(), 'maru-bench-'));
  const took: number[] = [];
  try {
    const file = openSync(path.join(directory, 'flushed'), 'w');
    const bytes = Buffer.alloc(BYTES);
    for (let i = 0; i < FLUSHES; i++) {
      writeSync(file, bytes);
      const startedMs = performance.now();
      fdatasyncSync(file);
      took.push(performance.now() - startedMs);
      await wait(PAUSE_MS);
    }
    closeSync(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(share * (took.length - 1))] ?? 0;
  return { directory: tmpdir(), p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** A file system for Redis that can be filled on demand. Only for root on Linux. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export interface Disk {
  /** Nothing more fits on the disk after it. */
  fill(): Promise<void>;
  free(): Promise<void>;
  unmount(): Promise<void>;
}

const run = promisify(execFile);
const SIZE = '4g';
/** tmpfs treats a smaller size as unlimited. */
const SIZE_MIN_BYTES = 4_096;

/**
 * Mounts a disk in memory at `folder`; filling it lowers its size limit. @returns the reason if it
 * cannot
 */
export async function mountSmallDisk(folder: string): Promise<Disk | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a disk';
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const resize = (size: string) => run('mount', ['-o', `remount,size=${size}`, folder]);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'maru-faults', folder]);
  } catch (error) {
    return `no disk could be mounted: ${String(error)}`;
  }
  return {
    async fill() {
      // Writes between the two calls may make the limit too low at first.
      for (let attempt = 0; attempt < 20; attempt++) {
        const { blocks, bfree, bsize } = statfsSync(folder);
        const full = await resize(String(Math.max(SIZE_MIN_BYTES, (blocks - bfree) * bsize))).catch(() => undefined);
        if (full !== undefined) return;
      }
      throw new Error('the disk could not be filled');
    },
    free: async () => void (await resize(SIZE)),
    unmount: async () => void (await run('umount', ['-l', folder])),
  };
}

/** @returns why this machine cannot mount one; undefined if it can */
export async function whyNoDisk(): Promise<string | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'maru-disk-'));
  const disk = await mountSmallDisk(folder);
  if (typeof disk !== 'string') await disk.unmount();
  rmdirSync(folder);
  return typeof disk === 'string' ? disk : undefined;
}

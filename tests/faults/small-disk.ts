/** A file system of its own for the store's files, which can be full on demand. Linux, as root; elsewhere there is none, and a reason. */
import { execFile } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';

export interface Disk {
  /** From now on nothing more fits on it. */
  fill(): Promise<void>;
  free(): Promise<void>;
  unmount(): Promise<void>;
}

const run = promisify(execFile);
const SIZE = '4g';
/** Below this tmpfs would take the size for no bound at all. */
const SIZE_MIN_BYTES = 4_096;

/** Mounts one at `folder`. It lives in memory and takes no more of it than what is written; full means that its bound was lowered. */
export async function mountSmallDisk(folder: string): Promise<Disk | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a disk of its own';
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const resize = (size: string) => run('mount', ['-o', `remount,size=${size}`, folder]);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'maru-faults', folder]);
  } catch (error) {
    return `no disk could be mounted: ${String(error)}`;
  }
  return {
    async fill() {
      // What is being written meanwhile may make the bound too low at first.
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

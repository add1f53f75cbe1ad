/**
 * A lock between processes of one machine: a file with the identity of its holder. A lock of a dead
 * holder is taken over.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './failure.mjs';
import { identityOf } from './process-identity.mjs';

/** @typedef {{pid: number, identity: string}} Holder */
/**
 * @typedef {{taken: true, healed: boolean, release: () => void} | {taken: false, holder: Holder}}
 *   LockResult
 */

/**
 * The wait after a stale lock is overwritten. Two processes that saw the same stale lock both
 * write; after the wait, both see that the last one holds it.
 */
const SETTLE_MS = 120;

/** @param {string} path @returns {Holder | null} null when absent or unreadable */
export function readHolder(path) {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8'));
    return typeof holder?.pid === 'number' && typeof holder.identity === 'string' ? holder : null;
  } catch {
    return null;
  }
}

/** @param {Holder} holder */
export const isAlive = (holder) => identityOf(holder.pid) === holder.identity;

/**
 * Takes the lock, or returns its holder. The directory must exist.
 * @param {string} path
 * @returns {Promise<LockResult>}
 */
export async function takeLock(path) {
  const mine = { pid: process.pid, identity: identityOf(process.pid) ?? 'unknown' };
  const text = JSON.stringify(mine);
  const release = () => {
    if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true });
  };
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return { taken: true, healed: false, release };
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  let holder = readHolder(path);
  if (holder === null) {
    // The holder may have created the file, but not written it yet.
    await sleep(SETTLE_MS);
    holder = readHolder(path);
  }
  if (holder !== null && isAlive(holder)) return { taken: false, holder };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
  await sleep(SETTLE_MS);
  const winner = readHolder(path);
  if (winner !== null && winner.pid !== mine.pid) return { taken: false, holder: winner };
  return { taken: true, healed: true, release };
}

/**
 * Waits for the lock, calling `onWait` once with its holder.
 * @param {string} path
 * @param {{onWait: (holder: Holder) => void, waitMs: number}} options
 * @returns {Promise<{release: () => void} | null>} null if it was not free within `waitMs`
 */
export async function waitForLock(path, { onWait, waitMs }) {
  const deadline = Date.now() + waitMs;
  let hasReported = false;
  for (;;) {
    const result = await takeLock(path);
    if (result.taken) return result;
    if (Date.now() >= deadline) return null;
    if (!hasReported) onWait(result.holder);
    hasReported = true;
    await sleep(500);
  }
}

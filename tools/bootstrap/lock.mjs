/** A lock between processes of one machine, as a file that names its holder. One left by a dead holder is taken over. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './failure.mjs';
import { identityOf } from './process-identity.mjs';

/** @typedef {{pid: number, identity: string}} Holder */
/** @typedef {{taken: true, healed: boolean, release: () => void} | {taken: false, holder: Holder}} LockResult */

/** Between writing over a stale lock and believing it: two who saw the same stale lock both write, and the last one wins. */
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
 * Takes the lock, or tells who holds it. Its directory must exist.
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
    // Its holder may be between creating and writing it.
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
 * @returns {Promise<{release: () => void} | null>} null when it was not free within `waitMs`
 */
export async function waitForLock(path, { onWait, waitMs }) {
  const deadline = Date.now() + waitMs;
  let told = false;
  for (;;) {
    const result = await takeLock(path);
    if (result.taken) return result;
    if (Date.now() >= deadline) return null;
    if (!told) onWait(result.holder);
    told = true;
    await sleep(500);
  }
}

/**
 * Identities of processes. The system reuses process ids, so an id alone is not enough: an identity
 * adds the start time of the process, from the kernel, and the boot in which it started.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * @typedef {object} ProcessRow
 * @property {number} pid
 * @property {number} session the pid of the session leader; each of our processes leads a session
 * @property {string} identity
 * @property {string | null} cwd null if it cannot be read
 */

const onLinux = process.platform === 'linux';
/** @type {string | undefined} */
let bootId;

function currentBoot() {
  if (bootId === undefined) {
    try {
      bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      bootId = 'boot';
    }
  }
  return bootId;
}

/**
 * Reads `/proc/PID/stat`. The name in it may contain spaces and brackets, so the fields are counted
 * from the last bracket.
 * @param {string} stat
 * @returns {{state: string, session: number, startTicks: string} | null}
 */
export function parseStat(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , , session] = fields;
  const startTicks = fields[19];
  if (state === undefined || session === undefined || startTicks === undefined) return null;
  return { state, session: Number(session), startTicks };
}

/** @param {number} pid @returns {ProcessRow | null} */
function readRow(pid) {
  let stat;
  try {
    stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
  // A zombie has ended. It waits for its parent to collect its exit status.
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return null;
  let cwd = null;
  try {
    cwd = readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // A process of another user.
  }
  return { pid, session: stat.session, identity: `${currentBoot()}:${stat.startTicks}`, cwd };
}

/** @param {number} pid @returns {string | null} null if there is no such process */
export function identityOf(pid) {
  if (onLinux) return readRow(pid)?.identity ?? null;
  const { stdout, status } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : null;
}

/**
 * All processes that this user can see. Working directory and session are known on Linux only.
 * @returns {ProcessRow[]}
 */
export function listProcesses() {
  if (!onLinux) {
    const { stdout } = spawnSync('ps', ['-axo', 'pid=,lstart='], { encoding: 'utf8' });
    return stdout.split('\n').flatMap((line) => {
      const match = /^\s*(\d+)\s+(\S.*?)\s*$/.exec(line);
      if (match === null) return [];
      const pid = Number(match[1]);
      return [{ pid, session: pid, identity: match[2] ?? '', cwd: null }];
    });
  }
  /** @type {ProcessRow[]} */
  const rows = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const row = readRow(Number(entry));
    if (row !== null) rows.push(row);
  }
  return rows;
}

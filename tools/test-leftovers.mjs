/** Finds processes that tests left running. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const GRACE_MS = 3_000;
const POLL_MS = 100;

/**
 * Finds the processes that use `runDir` in their environment, command line, working directory or
 * open files, and kills those that do not end within a moment. Without /proc it finds none.
 * @param {string} runDir
 * @returns {Promise<string[]>} a line for each killed process
 */
export async function findLeftovers(runDir) {
  const deadlineMs = Date.now() + GRACE_MS;
  let left = processesOf(runDir);
  while (left.length > 0 && Date.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    left = processesOf(runDir);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  return left.map(({ pid, command }) => `process ${pid}: ${command}`);
}

/** @param {string} runDir */
function processesOf(runDir) {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && uses(pid, runDir))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 120) }));
}

/** @param {number} pid @param {string} runDir */
function uses(pid, runDir) {
  if (/^State:\s+Z/m.test(read(`/proc/${pid}/status`))) return false;
  if (read(`/proc/${pid}/environ`).includes(runDir) || read(`/proc/${pid}/cmdline`).includes(runDir)) return true;
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
    return [`/proc/${pid}/cwd`, ...links].some((link) => target(link).startsWith(runDir));
  } catch {
    return false;
  }
}

/** Returns '' for a process of another user, or one that has just ended. @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} link */
function target(link) {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

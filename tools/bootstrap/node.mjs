/**
 * The Node.js that the product runs on: the one that package-lock.json pins, or the caller's own if
 * that is new enough.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { currentPlatform } from './package-tree.mjs';
import { ROOT } from './root.mjs';

/** Since this version, Node.js runs TypeScript: it strips the types. */
const PRODUCT_NODE_MAJOR_MIN = 24;

/** @param {string} [root] */
export const pinnedNodePath = (root = ROOT) => join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');

/** The pinned binary needs glibc. It does not run on a musl system (Alpine). */
export const isMusl = () => currentPlatform().libc === 'musl';

/** @param {string} path */
export function runsNode(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 && stdout.startsWith('v');
}

/**
 * The path of a Node >= 24. Call `ensureDependencies` before.
 * @returns {string}
 * @throws {Failure}
 */
export function pinnedNode() {
  const pinned = pinnedNodePath();
  if (process.execPath === pinned) return pinned;
  if (existsSync(pinned) && !isMusl() && runsNode(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= PRODUCT_NODE_MAJOR_MIN) return process.execPath;
  throw new Failure(
    `The pinned Node does not run on this system (${process.platform} ${process.arch}${isMusl() ? ', musl' : ''}), ` +
      `and this one is ${process.version}. Install Node ${PRODUCT_NODE_MAJOR_MIN} or newer, then try again.`,
  );
}

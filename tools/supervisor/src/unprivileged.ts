/** Chooses an account for programs that refuse to run as root. */
import { spawnSync } from 'node:child_process';
import { chownSync, closeSync, fchownSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../bootstrap/failure.mjs';

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

function lookUp(name: string): Account | null {
  const ask = (flag: string) => {
    const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8', timeout: 5_000 });
    return status === 0 && /^\d+\s*$/.test(stdout) ? Number(stdout) : null;
  };
  const [uid, gid] = [ask('-u'), ask('-g')];
  return uid === null || gid === null || uid === 0 ? null : { name, uid, gid };
}

/**
 * Null if this process is not root, because then its own account is sufficient. @param names best
 * first @throws Failure if none of them exists
 */
export function unprivilegedAccount(names: readonly string[]): Account | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of names) {
    const account = lookUp(name);
    if (account !== null) return account;
  }
  throw new Failure(`As root, this needs an account ${names.join(' or ')}, and there is none.`);
}

/**
 * Makes the account the owner of the directory and its content, if necessary. It checks the
 * directory and `witness`, a file in it, because a restored copy may belong to root. Without an
 * account, it only checks the owner.
 */
export function ownDirectory(directory: string, account: Account | null, witness: string): void {
  const owners = [directory, join(directory, witness)].flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? [] : [found.uid];
  });
  const wanted = account?.uid ?? process.getuid?.();
  if (owners.every((uid) => uid === wanted)) return;
  if (account === null)
    throw new Failure(
      `${directory} belongs to another user (id ${owners.find((uid) => uid !== wanted)}), as after a start as root.\n` +
        `Give it to yourself:  sudo chown -R ${userInfo().username} '${directory}'`,
    );
  chownSync(directory, account.uid, account.gid);
  const { status } = spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, directory]);
  if (status !== 0) throw new Failure(`${directory} cannot be given to the user ${account.name}.`);
}

/**
 * Writes a file that only the account can read. It replaces an existing file: the account owns the
 * directory, so a link in it must not redirect root to another file.
 */
export function writeOwned(path: string, text: string, account: Account | null): void {
  rmSync(path, { force: true });
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, text);
    if (account !== null) fchownSync(fd, account.uid, account.gid);
  } finally {
    closeSync(fd);
  }
}

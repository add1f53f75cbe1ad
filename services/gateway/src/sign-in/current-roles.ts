/**
 * For each call of an administrator, asks the directory whether the account still has the role
 * `admin`. So an administrator who leaves the group is refused within a second, not only when the
 * token expires. Roles in tokens of other issuers cannot be checked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Directory, DirectoryUnavailable } from '../directory/directory.ts';
import type { Identity } from '../identity/tokens.ts';

/** The identity, without the role `admin` if the account has lost it. */
export type CurrentRoles = (identity: Identity) => Promise<Identity>;

/** How long an answer of the directory is used. The console calls several times a second. */
const ANSWER_MS = 500;
/** How long a call waits for the directory. */
const WAIT_MS = 1_000;
/** After that wait, or if no server answers, the token alone decides for this time. */
const SILENCE_MS = 5_000;
/** Maximum administrators whose answers are kept. */
const KEPT_MAX = 1_000;

interface Answer {
  isAdmin: Promise<boolean>;
  untilMs: number;
}

export function createCurrentRoles({
  directory,
  now,
}: {
  /** Undefined if accounts cannot be looked up. */
  directory: Pick<Directory, 'find'> | undefined;
  now: () => number;
}): CurrentRoles {
  if (directory === undefined) return async (identity) => identity;
  const kept = new Map<string, Answer>();

  const look = async (id: string): Promise<boolean> => {
    const outcome = await directory.find(id);
    return outcome.ok && outcome.account.roles.includes('admin');
  };

  const ask = (id: string): Answer => {
    const late = pause(WAIT_MS, undefined, { ref: false }).then(() => {
      throw new DirectoryUnavailable('the directory is late');
    });
    const isAdmin = Promise.race([look(id), late]).catch((error: unknown) => {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      // An operator needs the console most while something is down.
      answer.untilMs = now() + SILENCE_MS;
      return true;
    });
    const answer: Answer = { untilMs: now() + ANSWER_MS, isAdmin };
    return answer;
  };

  const isAdmin = (id: string): Promise<boolean> => {
    const known = kept.get(id);
    if (known !== undefined && known.untilMs > now()) return known.isAdmin;
    kept.delete(id);
    for (const oldest of kept.keys()) {
      if (kept.size < KEPT_MAX) break;
      kept.delete(oldest);
    }
    const answer = ask(id);
    kept.set(id, answer);
    return answer.isAdmin;
  };

  return async (identity) => {
    const { user, roles, signedInAtS } = identity;
    if (signedInAtS === undefined || !roles.includes('admin') || (await isAdmin(user.id))) return identity;
    return { ...identity, roles: roles.filter((role) => role !== 'admin') };
  };
}

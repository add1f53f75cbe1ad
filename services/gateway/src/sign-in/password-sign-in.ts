/**
 * Signs in with a name and a password, and renews the resulting token. A refused user gets the same
 * answer after the same time, whether the account does not exist or the password is wrong.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MaruError, type SignInData } from '@maru/protocol';
import { RefusedSignIn } from '../audit/sign-ins.ts';
import { type Credentials, type Directory, DirectoryUnavailable, type Outcome } from '../directory/directory.ts';
import type { Identity, Tokens } from '../identity/tokens.ts';
import type { Attempt, Attempts } from './attempts.ts';

export interface PasswordSignIn {
  /** Rejects `unauthenticated`, `forbidden`, `rate_limited` or `unavailable`. */
  signIn(credentials: Credentials, address: string): Promise<SignInData>;
  /** Returns a new token for the user of a valid one, if the account may still sign in. */
  renew(identity: Identity): Promise<SignInData>;
}

export interface PasswordSignInOptions {
  directory: Pick<Directory, 'signIn'>;
  /** Undefined if accounts cannot be looked up. Then no token is renewed. */
  lookups: Pick<Directory, 'find'> | undefined;
  attempts: Attempts;
  issue: NonNullable<Tokens['issueAccount']>;
  sessionMaxS: number;
  refusalMs: number;
  now: () => number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

const RETRY_MS = 2_000;
const WRONG = 'the name or the password is wrong';

export function createPasswordSignIn(options: PasswordSignInOptions): PasswordSignIn {
  const { directory, lookups, attempts, issue, sessionMaxS, refusalMs, now, storeNow } = options;

  /** Runs the attempt. Its counters were charged before. */
  const tryPassword = async (credentials: Credentials, address: string, begun: Attempt[]): Promise<Outcome> => {
    // The next server gets the same password: it counts once.
    const asked = new Map<string, boolean>();
    try {
      return await directory.signIn(credentials, async (id) => {
        const known = asked.get(id);
        if (known !== undefined) return known;
        const attempt = await attempts.beginById(id, address);
        // The name may be one of several of this account. That must not show.
        const mayTry = typeof attempt !== 'number';
        if (mayTry) begun.push(attempt);
        asked.set(id, mayTry);
        return mayTry;
      });
    } catch (error) {
      await Promise.all(begun.map((attempt) => attempt.undone())).catch(() => {});
      if (error instanceof DirectoryUnavailable)
        throw new MaruError('unavailable', 'the directory does not answer', { retryAfterMs: RETRY_MS, cause: error });
      throw error;
    }
  };

  return {
    async signIn(credentials, address) {
      const untilMs = now() + refusalMs;
      const attempt = await attempts.beginByName(credentials.username, address);
      if (typeof attempt === 'number')
        throw new MaruError('rate_limited', 'too many wrong passwords', { retryAfterMs: attempt });
      const begun = [attempt];
      const outcome = await tryPassword(credentials, address, begun);
      if (outcome.ok) {
        await Promise.all(begun.map((one) => one.succeeded()));
        return issue(outcome.account, Math.floor(storeNow() / 1_000));
      }
      const { reason, id: user } = outcome;
      const knowsPassword = reason === 'disabled' || reason === 'group';
      if (knowsPassword) throw new RefusedSignIn('forbidden', 'this account may not sign in here', { reason, user });
      await pause(Math.max(0, untilMs - now()));
      throw new RefusedSignIn('unauthenticated', WRONG, { reason, user });
    },

    async renew({ user, signedInAtS }) {
      if (signedInAtS === undefined) throw new MaruError('forbidden', 'only tokens of a sign-in are renewed');
      if (lookups === undefined || storeNow() / 1_000 > signedInAtS + sessionMaxS)
        throw new RefusedSignIn('unauthenticated', 'sign in again', { reason: 'session', user: user.id });
      const outcome = await lookups.find(user.id).catch((error: unknown) => {
        if (!(error instanceof DirectoryUnavailable)) throw error;
        throw new MaruError('unavailable', 'the directory does not answer', { retryAfterMs: RETRY_MS, cause: error });
      });
      if (outcome.ok) return issue(outcome.account, signedInAtS);
      const { reason } = outcome;
      throw new RefusedSignIn('unauthenticated', 'this account may not sign in any more', { reason, user: user.id });
    },
  };
}

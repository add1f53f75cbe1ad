/** Sessions of directory accounts. Their short-lived tokens are renewed without the password. */
import { renewSignIn, type Session as SignedIn } from '@maru/client/http';
import type { Session } from '../session/session.ts';
import { endEverywhere } from './end.ts';

/** The key id (`kid`) of tokens for directory accounts. */
const KEY_ID = 'maru-account';

export function isOfAccount({ token }: SignedIn): boolean {
  try {
    const [header = ''] = token.split('.');
    return JSON.parse(atob(header.replace(/-/g, '+').replace(/_/g, '/'))).kid === KEY_ID;
  } catch {
    return false;
  }
}

export function accountSession(first: SignedIn, stays: boolean, keep: (session: Session) => void): Session {
  let current = first;
  const session: Session = {
    user: first.user,
    stays,
    get token() {
      return current.token;
    },
    async renew() {
      const result = await renewSignIn({ token: current.token });
      if (!result.ok) {
        // An exception makes the client retry after a temporary failure.
        if (result.error.retryable) throw new Error(result.error.message);
        return null;
      }
      current = result.data;
      keep(session);
      return current.token;
    },
    end: () => endEverywhere(current.token),
  };
  return session;
}

/**
 * The seam to a directory of accounts. It MUST decide by the current state of the directory, and
 * MUST throw DirectoryUnavailable, not refuse, if no server answers. It does not know tokens,
 * back-off or HTTP.
 */

export interface Account {
  /** The user id: stable, also when the account is renamed or moved. */
  id: string;
  name: string;
  roles: string[];
}

/**
 * Why an account may not sign in: `unknown`: no such account. `password`: wrong password. `paused`:
 * `mayTry` returned false. `disabled`, `group`: the account is disabled, or in no allowed group.
 * `unusable`: its entry has no usable id. Only operators see the reason.
 */
export type RefusalReason = 'unknown' | 'password' | 'paused' | 'disabled' | 'group' | 'unusable';

export type Outcome = { ok: true; account: Account } | { ok: false; reason: RefusalReason; id?: string };

export interface Credentials {
  username: string;
  /** Never empty: directories accept an empty password as an anonymous bind. */
  password: string;
}

export interface Directory {
  /** Calls `mayTry` once the account is known, before it tries the password. */
  signIn(credentials: Credentials, mayTry: (id: string) => Promise<boolean>): Promise<Outcome>;
  /** The current state of a user's account, without its password. */
  find(id: string): Promise<Outcome>;
  close(): Promise<void>;
}

/** No server answered in time, or none could be trusted. */
export class DirectoryUnavailable extends Error {}

/**
 * The seam to a directory of accounts. It MUST decide by the directory's present state, and MUST
 * throw DirectoryUnavailable instead of refusing when no server answers. It knows no tokens, no
 * back-off and no HTTP.
 */

export interface Account {
  /** The user id: stable, also when the account is renamed or moved. */
  id: string;
  name: string;
  roles: string[];
}

/**
 * Why an account may not sign in: `unknown`: no such account; `password`: it is wrong; `paused`:
 * `mayTry` said no; `disabled`, `group`: the account is disabled, or in none of the allowed groups;
 * `unusable`: the directory's entry has no usable id. Only operators see which.
 */
export type RefusalReason = 'unknown' | 'password' | 'paused' | 'disabled' | 'group' | 'unusable';

export type Outcome = { ok: true; account: Account } | { ok: false; reason: RefusalReason; id?: string };

export interface Credentials {
  username: string;
  /** Never empty: directories accept an empty password as an anonymous bind. */
  password: string;
}

export interface Directory {
  /** Asks `mayTry` once the account is known, before its password is tried. */
  signIn(credentials: Credentials, mayTry: (id: string) => Promise<boolean>): Promise<Outcome>;
  /** The account of a user as it is now, without its password. */
  find(id: string): Promise<Outcome>;
  close(): Promise<void>;
}

/** No server answered in time, or none could be trusted. */
export class DirectoryUnavailable extends Error {}

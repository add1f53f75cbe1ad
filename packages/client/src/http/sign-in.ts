/** Calls that need no token. */
import type { AuthConfig, UserRef } from '@maru/protocol/events';
import { type HttpResult, type HttpTarget, httpCall, isObject } from './call.ts';

export interface Session {
  token: string;
  user: UserRef;
}

/** Parses a session, for example a stored one. Null if it is malformed. */
export function parseSession(value: unknown): Session | null {
  if (!isObject(value) || typeof value.token !== 'string' || !isObject(value.user)) return null;
  const { id, name } = value.user;
  return typeof id === 'string' && typeof name === 'string' ? { token: value.token, user: { id, name } } : null;
}

/** The ways to sign in that the server offers. */
export const readAuthConfig = (target: HttpTarget): Promise<HttpResult<AuthConfig>> =>
  httpCall(target, { path: '/auth/config' }, (body) => {
    if (!isObject(body)) return null;
    const { guests, ldap, oidc } = body;
    return { guests: guests === true, ldap: ldap === true, oidc: isObject(oidc) ? providerOf(oidc) : null };
  });

function providerOf({ issuer, clientId, name, scope, token }: Record<string, unknown>): AuthConfig['oidc'] {
  if (typeof issuer !== 'string' || typeof clientId !== 'string') return null;
  return {
    issuer,
    clientId,
    name: typeof name === 'string' ? name : issuer,
    scope: typeof scope === 'string' ? scope : 'openid profile',
    token: token === 'id' ? 'id' : 'access',
  };
}

export interface AccountSession extends Session {
  /** When the token expires, in milliseconds since 1970. */
  expiresAt: number;
}

const parseAccount = (body: unknown): AccountSession | null => {
  const session = parseSession(body);
  if (session === null || !isObject(body) || typeof body.expiresAt !== 'number') return null;
  return { ...session, expiresAt: body.expiresAt };
};

/**
 * `unauthenticated`: the name or the password is wrong; `forbidden`: the account may not sign in.
 */
export const signInWithPassword = (
  target: HttpTarget,
  account: { username: string; password: string },
): Promise<HttpResult<AccountSession>> =>
  httpCall(target, { method: 'POST', path: '/sign-in', body: account }, parseAccount);

/**
 * A new token for an account that signed in with a password. Works for some time after the token
 * expired.
 */
export const renewSignIn = (target: HttpTarget): Promise<HttpResult<AccountSession>> =>
  httpCall(target, { method: 'POST', path: '/sign-in/renew' }, parseAccount);

/** Ends all connections and tokens of the user on all devices. */
export const signOutEverywhere = (target: HttpTarget): Promise<HttpResult<true>> =>
  httpCall(target, { method: 'POST', path: '/sign-out' }, () => true as const);

/** The user of the token. */
export const readMe = (target: HttpTarget): Promise<HttpResult<UserRef>> =>
  httpCall(
    target,
    { path: '/me' },
    (body) => parseSession({ token: '', ...(isObject(body) ? body : {}) })?.user ?? null,
  );

/** `not_found`: guest access is disabled. */
export const enterAsGuest = (target: HttpTarget, name: string): Promise<HttpResult<Session>> =>
  httpCall(target, { method: 'POST', path: '/guests', body: { name } }, parseSession);

/** Tokens that gateways issue: to guests, and to accounts that signed in with a password. */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { displayName, GUEST_ID_PREFIX, LIMITS, type SignInData, type UserRef } from '@maru/protocol';
import { SignJWT } from 'jose';

/** Key ids, and issuers. */
export const GUEST_KEY_ID = 'maru-guest';
export const ACCOUNT_KEY_ID = 'maru-account';
const GUEST_LIFETIME_S = 24 * 60 * 60;

export interface HmacKey {
  plain: KeyObject;
  /** Created once. With plain bytes, the library would create a key for every token. */
  web: ReturnType<KeyObject['toCryptoKey']>;
}

export function hmacKey(bytes: Buffer): HmacKey {
  const plain = createSecretKey(bytes);
  return { plain, web: plain.toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']) };
}

/** Derived, so that the keys differ even if all secrets are the same. */
export const guestKeyOf = (secret: string): HmacKey => derived(secret, 'maru guest tokens v1');
export const accountKeyOf = (secret: string): HmacKey => derived(secret, 'maru account tokens v1');

const derived = (secret: string, purpose: string) => hmacKey(createHmac('sha256', secret).update(purpose).digest());

/** `now`: milliseconds of the store's clock. */
export async function issueGuest(
  key: HmacKey,
  name: string,
  now: () => number,
): Promise<{ token: string; user: UserRef }> {
  const user = { id: `${GUEST_ID_PREFIX}${randomBytes(12).toString('base64url')}`, name };
  const { token } = await sign(key, { ...user, keyId: GUEST_KEY_ID, claims: {}, lifetimeS: GUEST_LIFETIME_S, now });
  return { token, user };
}

export interface IssueAccountOptions {
  lifetimeS: number;
  /** When the password was entered, in seconds since 1970. */
  signedInAtS: number;
  now: () => number;
}

export async function issueAccount(
  key: HmacKey,
  account: UserRef & { roles: string[] },
  { lifetimeS, signedInAtS, now }: IssueAccountOptions,
): Promise<SignInData> {
  const user = { id: account.id, name: displayName.safeParse(account.name).data ?? nameOf(account.id) };
  const claims = { roles: account.roles, auth_time: signedInAtS };
  const { token, expiresAtS } = await sign(key, { ...user, keyId: ACCOUNT_KEY_ID, claims, lifetimeS, now });
  return { token, user, expiresAt: expiresAtS * 1_000 };
}

async function sign(
  { web }: HmacKey,
  options: UserRef & { keyId: string; claims: Record<string, unknown>; lifetimeS: number; now: () => number },
): Promise<{ token: string; expiresAtS: number }> {
  const { id, name, keyId, claims, lifetimeS, now } = options;
  const issuedAtS = Math.floor(now() / 1_000);
  const expiresAtS = issuedAtS + lifetimeS;
  const token = await new SignJWT({ name, ...claims })
    .setProtectedHeader({ alg: 'HS256', kid: keyId })
    .setIssuer(keyId)
    .setSubject(id)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(expiresAtS)
    .sign(web);
  return { token, expiresAtS };
}

/** The display name of a token without a usable one, derived from the user id. */
export function nameOf(userId: string): string {
  const name = [...userId].slice(0, LIMITS.nameCharsMax).join('');
  return displayName.safeParse(name).success ? name : 'user';
}

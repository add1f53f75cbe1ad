/**
 * The only module that verifies tokens. There are four kinds with different keys. Tokens of the
 * host application and of an OpenID provider carry any user id except `guest-…`. The gateway itself
 * issues guest tokens, the only ones with `guest-…`, and tokens of accounts that signed in with a
 * password.
 */
import {
  displayName,
  GUEST_ID_PREFIX,
  LIMITS,
  MaruError,
  type SignInData,
  type UserRef,
  userId as userIdSchema,
} from '@maru/protocol';
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import { ASYMMETRIC } from './algorithms.ts';
import { ClaimError } from './claims.ts';
import { type KeySet, KeysUnavailable } from './key-set.ts';
import {
  ACCOUNT_KEY_ID,
  accountKeyOf,
  GUEST_KEY_ID,
  guestKeyOf,
  type HmacKey,
  hmacKey,
  issueAccount,
  issueGuest,
  nameOf,
} from './own-tokens.ts';
import { readPlainHmac } from './plain-hmac.ts';
import type { Provider } from './provider.ts';

export interface Identity {
  user: UserRef;
  roles: string[];
  /** Seconds since 1970, as in the token. */
  expiresAtS: number;
  /**
   * The same; undefined if the token does not have it, or claims to be from the future. Of a token
   * of an account: when the password was given, also after renewals.
   */
  issuedAtS: number | undefined;
  /** When the user entered a password, in seconds since 1970. Only in tokens of accounts. */
  signedInAtS?: number;
  /** Identifies the user's sign-in at an OpenID provider. Only in tokens of a provider. */
  signIn?: string;
}

export interface TokenKeys {
  /**
   * Shared secret for HS256, or the key set for asymmetric algorithms. At least one is set.
   */
  secret: string | undefined;
  keySet: KeySet | undefined;
  issuer: string | undefined;
  audience: string | undefined;
}

type Claims = JWTClaimVerificationOptions;

export interface Tokens {
  /**
   * Rejects `unauthenticated` with a message that names the wrong claim, if one is wrong, but never
   * its value; or `unavailable` if its key cannot be found now. `forRenewal`: a token of an account
   * may have expired some time ago.
   */
  verify(token: unknown, forRenewal?: boolean): Promise<Identity>;
  /** Undefined if guests are off. */
  issueGuest: ((name: string) => Promise<{ token: string; user: UserRef }>) | undefined;
  /** Undefined without a directory. `signedInAtS`: when the password was given. */
  issueAccount: ((account: UserRef & { roles: string[] }, signedInAtS: number) => Promise<SignInData>) | undefined;
}

/**
 * A signed JWT. Base64 decoders skip other characters, so without this check one token could have
 * many spellings.
 */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const ROLES_MAX = 32;
/** Tolerated difference between an issuer's clock and the store's. */
const CLOCK_TOLERANCE_S = 5;

export function createTokens(options: {
  keys: TokenKeys;
  guests: { secret: string } | undefined;
  /** An OpenID provider. A token belongs to it exactly if it has its `iss`. */
  provider: Provider | undefined;
  /** `lateMaxS`: how long an expired token can be renewed. */
  accounts: { secret: string; lifetimeS: number; lateMaxS: number } | undefined;
  /** A token that is valid for longer than this is refused, because it could not be revoked. */
  lifetimeMaxS: number;
  /** Milliseconds of the store's clock, so that all nodes agree. */
  now: () => number;
}): Tokens {
  const { keys } = options;
  const { guests, accounts, provider, now } = options;
  const guestKey = guests && guestKeyOf(guests.secret);
  const accountKey = accounts && accountKeyOf(accounts.secret);

  const common = () => ({
    currentDate: new Date(options.now()),
    requiredClaims: ['exp', 'sub'],
    clockTolerance: CLOCK_TOLERANCE_S,
  });

  const verifyHmac = async (token: string, header: ProtectedHeaderParameters, key: HmacKey, claims: Claims) =>
    readPlainHmac(token, header, key.plain, claims) ??
    (await jwtVerify(token, key.web, { ...claims, algorithms: ['HS256'] })).payload;

  const verifyGuest = async (token: string, header: ProtectedHeaderParameters): Promise<JWTPayload> => {
    if (guestKey === undefined) throw new Error('guests are off');
    const payload = await verifyHmac(token, header, guestKey, { ...common(), issuer: GUEST_KEY_ID });
    if (!isGuestId(payload.sub)) throw new ClaimError('sub');
    return payload;
  };

  const verifyAccount = async (token: string, header: ProtectedHeaderParameters, lateS: number) => {
    if (accountKey === undefined) throw new Error('sign-in with a password is disabled');
    const claims = { ...common(), issuer: ACCOUNT_KEY_ID, clockTolerance: CLOCK_TOLERANCE_S + lateS };
    return notGuest(await verifyHmac(token, header, accountKey, claims));
  };

  const verifyHost = hostVerifier(keys, { common, verifyHmac });

  /** A time in the future would outlive a revocation. */
  const isPast = (issuedAtS: number | undefined): issuedAtS is number =>
    issuedAtS !== undefined && issuedAtS * 1_000 <= options.now() + CLOCK_TOLERANCE_S * 1_000;

  const toIdentity = (payload: JWTPayload): Identity => {
    const { data: id } = userIdSchema.safeParse(payload.sub);
    if (id === undefined) throw new ClaimError('sub');
    const { data: name = nameOf(id) } = displayName.safeParse(payload.name);
    const expiresAtS = payload.exp as number;
    if (expiresAtS * 1_000 > options.now() + options.lifetimeMaxS * 1_000) throw new ClaimError('exp');
    const roles = Array.isArray(payload.roles) ? payload.roles : [];
    return {
      user: { id, name },
      roles: roles.filter((role): role is string => typeof role === 'string' && role.length <= 64).slice(0, ROLES_MAX),
      expiresAtS,
      issuedAtS: isPast(payload.iat) ? payload.iat : undefined,
    };
  };

  return {
    async verify(token, forRenewal = false) {
      try {
        if (typeof token !== 'string' || token.length > LIMITS.tokenCharsMax || !COMPACT.test(token))
          throw new Error('no token');
        const header = decodeProtectedHeader(token);
        if (header.kid === GUEST_KEY_ID) return toIdentity(await verifyGuest(token, header));
        if (header.kid === ACCOUNT_KEY_ID) {
          const payload = await verifyAccount(token, header, forRenewal ? (accounts?.lateMaxS ?? 0) : 0);
          const signedInAtS = Number(payload.auth_time);
          // A renewal must not outlive a revocation: such a token is as old as its sign-in.
          return { ...toIdentity({ ...payload, iat: signedInAtS }), signedInAtS };
        }
        if (provider === undefined || decodeJwt(token).iss !== provider.issuer)
          return toIdentity(notGuest(await verifyHost(token, header)));
        const payload = notGuest(await provider.verify(token, header, common()));
        return { ...toIdentity(payload), signIn: String(payload.sid ?? payload.auth_time ?? '') };
      } catch (error) {
        if (error instanceof KeysUnavailable)
          throw new MaruError('unavailable', 'tokens cannot be checked now', { cause: error });
        const claim = claimOf(error);
        const message = claim === undefined ? 'a valid token is required' : `a valid token is required: check ${claim}`;
        throw new MaruError('unauthenticated', message, { cause: error });
      }
    },
    issueGuest: guestKey && ((name) => issueGuest(guestKey, name, now)),
    issueAccount:
      accountKey &&
      ((account, signedInAtS) =>
        issueAccount(accountKey, account, { lifetimeS: accounts?.lifetimeS ?? 0, signedInAtS, now })),
  };
}

function notGuest(payload: JWTPayload): JWTPayload {
  if (isGuestId(payload.sub)) throw new ClaimError('sub');
  return payload;
}

type VerifyHmac = (t: string, h: ProtectedHeaderParameters, key: HmacKey, claims: Claims) => Promise<JWTPayload>;

/** Tokens of the host application. */
function hostVerifier(
  { secret, keySet, issuer, audience }: TokenKeys,
  { common, verifyHmac }: { common: () => Claims; verifyHmac: VerifyHmac },
): (token: string, header: ProtectedHeaderParameters) => Promise<JWTPayload> {
  const key = secret === undefined ? undefined : hmacKey(Buffer.from(secret));
  return async (token, header) => {
    const claims = {
      ...common(),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
    // The algorithm selects the key, and each key accepts only its algorithms. An RSA public key
    // never becomes an HMAC secret.
    if (key !== undefined && header.alg === 'HS256') return verifyHmac(token, header, key, claims);
    if (keySet === undefined) throw new Error('no key for this algorithm');
    return keySet.verify(token, header, { ...claims, algorithms: [...ASYMMETRIC] });
  };
}

/** `sub` may be anything: the token's author chooses it. */
const isGuestId = (sub: unknown): boolean => typeof sub === 'string' && sub.startsWith(GUEST_ID_PREFIX);

/**
 * The claims that are checked. Errors never name other claims, because a token's author chooses
 * their names.
 */
const CLAIMS = new Set(['iss', 'sub', 'aud', 'azp', 'typ', 'exp', 'nbf', 'iat', 'groups']);

/** The claim that is wrong, and of which user, if `verify` rejected with such an error. */
export function wrongClaimOf(error: unknown): { claim: string; user: string | undefined } | undefined {
  const cause = error instanceof MaruError ? error.cause : error;
  const claim = claimOf(cause);
  return claim === undefined ? undefined : { claim, user: cause instanceof ClaimError ? cause.user : undefined };
}

function claimOf(error: unknown): string | undefined {
  if (error instanceof errors.JWKSNoMatchingKey) return 'kid';
  const claim = (error as { claim?: unknown } | undefined)?.claim;
  return typeof claim === 'string' && CLAIMS.has(claim) ? claim : undefined;
}

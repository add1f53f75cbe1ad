/**
 * Checks tokens; nothing else does. There are two kinds, with different keys. Tokens of the host
 * application carry any user id except `guest-…`. The gateway issues guest tokens, and only they
 * carry `guest-…`.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { displayName, GUEST_ID_PREFIX, LIMITS, MaruError, type UserRef, userId as userIdSchema } from '@maru/protocol';
import {
  decodeProtectedHeader,
  errors,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
  SignJWT,
} from 'jose';
import { type KeySet, KeysUnavailable } from './key-set.ts';
import { readPlainHmac } from './plain-hmac.ts';

export interface Identity {
  user: UserRef;
  roles: string[];
  /** Seconds since 1970, as in the token. */
  expiresAtS: number;
  /** The same; undefined if the token does not have it, or claims to be from the future. */
  issuedAtS: number | undefined;
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
   * its value; or `unavailable` if its key cannot be found now.
   */
  verify(token: unknown): Promise<Identity>;
  /** Undefined if guests are off. */
  issueGuest: ((name: string) => Promise<{ token: string; user: UserRef }>) | undefined;
}

/**
 * A signed JWT. Decoders of base64 skip other characters, so one token could have many spellings.
 */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const GUEST_KEY_ID = 'maru-guest';
const GUEST_LIFETIME_S = 24 * 60 * 60;
const ROLES_MAX = 32;
/** How far the clocks of issuers may differ from the store's. */
const CLOCK_TOLERANCE_S = 5;
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

export function createTokens(options: {
  keys: TokenKeys;
  guests: { secret: string } | undefined;
  /** A token that is valid for longer than this is refused, because it could not be revoked. */
  lifetimeMaxS: number;
  /** Milliseconds of the store's clock, so that all nodes agree. */
  now: () => number;
}): Tokens {
  const { keys } = options;
  const secret = keys.secret === undefined ? undefined : hmacKey(Buffer.from(keys.secret));
  // Derived, so that the keys differ even if both secrets are the same.
  const guestKey =
    options.guests && hmacKey(createHmac('sha256', options.guests.secret).update('maru guest tokens v1').digest());

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

  const verifyHost = async (token: string, header: ProtectedHeaderParameters): Promise<JWTPayload> => {
    const claims = {
      ...common(),
      ...(keys.issuer === undefined ? {} : { issuer: keys.issuer }),
      ...(keys.audience === undefined ? {} : { audience: keys.audience }),
    };
    // The algorithm selects the key, and each key accepts only its algorithms. An RSA public key
    // never becomes an HMAC secret.
    const payload =
      secret !== undefined && header.alg === 'HS256'
        ? await verifyHmac(token, header, secret, claims)
        : keys.keySet !== undefined
          ? await keys.keySet.verify(token, header, { ...claims, algorithms: ASYMMETRIC })
          : (() => {
              throw new Error('no key for this algorithm');
            })();
    if (isGuestId(payload.sub)) throw new ClaimError('sub');
    return payload;
  };

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
    async verify(token) {
      try {
        if (typeof token !== 'string' || token.length > LIMITS.tokenCharsMax || !COMPACT.test(token))
          throw new Error('no token');
        const header = decodeProtectedHeader(token);
        return toIdentity(await (header.kid === GUEST_KEY_ID ? verifyGuest : verifyHost)(token, header));
      } catch (error) {
        if (error instanceof KeysUnavailable)
          throw new MaruError('unavailable', 'tokens cannot be checked now', { cause: error });
        const claim = claimOf(error);
        const message = claim === undefined ? 'a valid token is required' : `a valid token is required: check ${claim}`;
        throw new MaruError('unauthenticated', message, { cause: error });
      }
    },
    issueGuest:
      guestKey &&
      (async (name) => {
        const user = { id: `${GUEST_ID_PREFIX}${randomBytes(12).toString('base64url')}`, name };
        const issuedAtS = Math.floor(options.now() / 1_000);
        const token = await new SignJWT({ name })
          .setProtectedHeader({ alg: 'HS256', kid: GUEST_KEY_ID })
          .setIssuer(GUEST_KEY_ID)
          .setSubject(user.id)
          .setIssuedAt(issuedAtS)
          .setExpirationTime(issuedAtS + GUEST_LIFETIME_S)
          .sign(guestKey.web);
        return { token, user };
      }),
  };
}

interface HmacKey {
  plain: KeyObject;
  /** Created once. With plain bytes, the library would create a key for every token. */
  web: ReturnType<KeyObject['toCryptoKey']>;
}

function hmacKey(bytes: Buffer): HmacKey {
  const plain = createSecretKey(bytes);
  return { plain, web: plain.toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']) };
}

/** `sub` may be anything: the token's author chooses it. */
const isGuestId = (sub: unknown): boolean => typeof sub === 'string' && sub.startsWith(GUEST_ID_PREFIX);

/** The named claim of a token is wrong. */
class ClaimError extends Error {
  readonly claim: string;

  constructor(claim: string) {
    super(`the claim ${claim} is wrong`);
    this.claim = claim;
  }
}

/** The registered claims. Others are not named, because a token's author chooses their names. */
const CLAIMS = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat']);

function claimOf(error: unknown): string | undefined {
  if (error instanceof errors.JWKSNoMatchingKey) return 'kid';
  const { claim } = error as { claim?: unknown };
  return typeof claim === 'string' && CLAIMS.has(claim) ? claim : undefined;
}

/** The display name of a token without a usable one, derived from the user id. */
function nameOf(userId: string): string {
  const name = [...userId].slice(0, LIMITS.nameCharsMax).join('');
  return displayName.safeParse(name).success ? name : 'user';
}

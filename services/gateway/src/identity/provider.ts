/**
 * Verifies tokens of an OpenID provider: access tokens or ID tokens, as JWTs. Other JWTs of the
 * provider, such as logout tokens, have the same keys and must be rejected.
 */
import type { JWTClaimVerificationOptions, JWTPayload, ProtectedHeaderParameters } from 'jose';
import { ClaimError, claimAt, textsOf } from './claims.ts';
import type { KeySet } from './key-set.ts';
import type { RoleOfClaim } from './oidc-settings.ts';

export interface ProviderOptions {
  issuer: string;
  keySet: KeySet;
  algorithms: string[];
  audiences: string[];
  /** Tokens that the provider issued to other clients are refused. */
  clients: string[];
  idClaim: string;
  nameClaims: string[];
  groupsClaim: string;
  /** Empty: every user of the provider may sign in. */
  allowedGroups: string[];
  roles: RoleOfClaim[];
}

export interface Provider {
  readonly issuer: string;
  /** Rejects with jose's error, a ClaimError, or KeysUnavailable. */
  verify(token: string, header: ProtectedHeaderParameters, claims: JWTClaimVerificationOptions): Promise<JWTPayload>;
}

/** `at+jwt`: access tokens of RFC 9068. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

export function createProvider(options: ProviderOptions): Provider {
  const { issuer, keySet, algorithms, audiences, clients } = options;

  const checkClient = (payload: JWTPayload): void => {
    const client = payload.azp ?? payload.client_id;
    if (client !== undefined && !clients.includes(client as string)) throw new ClaimError('azp');
    // Only logout tokens have it (OpenID Connect Back-Channel Logout 1.0).
    if (payload.events !== undefined) throw new ClaimError('typ');
  };

  return {
    issuer,
    async verify(token, header, claims) {
      if (header.typ !== undefined && !TYPES.has(header.typ.toLowerCase())) throw new ClaimError('typ');
      const payload = await keySet.verify(token, header, { ...claims, issuer, audience: audiences, algorithms });
      checkClient(payload);
      return { ...payload, ...whoOf(payload, options) };
    },
  };
}

/** The user claims, in the form of host application tokens. */
function whoOf(
  payload: JWTPayload,
  { idClaim, nameClaims, groupsClaim, allowedGroups, roles }: ProviderOptions,
): { sub: string; name: unknown; roles: string[] } {
  const id = claimAt(payload, idClaim);
  if (typeof id !== 'string') throw new ClaimError('sub');
  const groups = new Set(textsOf(claimAt(payload, groupsClaim)));
  if (allowedGroups.length > 0 && !allowedGroups.some((group) => groups.has(group))) throw new ClaimError('groups', id);
  return {
    sub: id,
    name: nameClaims.map((name) => claimAt(payload, name)).find((name) => typeof name === 'string' && name !== ''),
    roles: [...new Set(roles.filter(({ group }) => groups.has(group)).map(({ role }) => role))],
  };
}

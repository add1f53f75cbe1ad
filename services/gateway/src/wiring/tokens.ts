/** Verifies tokens: keys, revocations and log. */
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { Audit } from '../audit/audit.ts';
import type { Counted } from '../audit/sign-ins.ts';
import { createTokenAudit } from '../audit/token-audit.ts';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { GatewayConfig } from '../config.ts';
import { discoverKeys } from '../identity/discovery.ts';
import { type FetchOutcome, KeySet } from '../identity/key-set.ts';
import { createProvider, type Provider } from '../identity/provider.ts';
import { createTokens, type Identity, type Tokens, wrongClaimOf } from '../identity/tokens.ts';
import type { Orders } from '../revocation/orders.ts';
import type { RevokedUsers } from '../revocation/revoked-users.ts';
import type { RefusalLog } from '../sessions/refusal-log.ts';

export interface TokensOptions {
  config: GatewayConfig;
  logger: Logger;
  refusalLog: RefusalLog;
  audit: Audit;
  onKeyFetch: (outcome: FetchOutcome) => void;
  onSignIn: Counted;
  orders: Pick<Orders, 'loaded'>;
  revokedUsers: Pick<RevokedUsers, 'isRevoked'>;
  gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>;
  now: () => number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

/** Also checks whether an accepted token was revoked since. */
export type CheckedTokens = Tokens & { isRevoked(identity: Pick<Identity, 'user' | 'issuedAtS'>): boolean };

/** Revocations are read soon after the start, or when the store is back. */
const LOAD_RETRY_MS = 500;
/** The same as for the key set. */
const DISCOVERY_TIMEOUT_MS = 3_000;

export function createCheckedTokens(options: TokensOptions): CheckedTokens {
  const { config, refusalLog, orders, gate, now, storeNow } = options;
  const { jwksUrl } = config;
  const tokens = createTokens({
    keys: {
      secret: config.jwtSecret,
      keySet: jwksUrl === undefined ? undefined : openKeySet(options, () => new URL(jwksUrl)),
      issuer: config.jwtIssuer,
      audience: config.jwtAudience,
    },
    guests: config.guests && config.guestSecret !== undefined ? { secret: config.guestSecret } : undefined,
    provider: providerOf(options),
    accounts:
      config.ldapUrls.length > 0 && config.jwtSecret !== undefined
        ? { secret: config.jwtSecret, lifetimeS: config.signInTokenS, lateMaxS: config.signInLateMaxS }
        : undefined,
    lifetimeMaxS: config.tokenLifetimeMaxS,
    now: storeNow,
  });
  const tokenAudit = createTokenAudit({ audit: options.audit, onOutcome: options.onSignIn, now });
  const isRevoked: CheckedTokens['isRevoked'] = ({ user, issuedAtS }) =>
    options.revokedUsers.isRevoked({ userId: user.id, issuedAtS });
  return {
    ...tokens,
    isRevoked,
    // Used for handshakes, renewals and HTTP calls.
    async verify(token, forRenewal) {
      try {
        const identity = await tokens.verify(token, forRenewal);
        if (!gate.isOpen()) await gate.whenOpen();
        // This is temporary, so it must not cause a final refusal.
        if (!orders.loaded)
          throw new MaruError('unavailable', 'tokens cannot be checked now', { retryAfterMs: LOAD_RETRY_MS });
        if (isRevoked(identity)) throw new MaruError('unauthenticated', 'a valid token is required: it was revoked');
        if (identity.signIn !== undefined) tokenAudit.accepted(identity.user.id, identity.signIn);
        return identity;
      } catch (error) {
        refusalLog.token(error);
        const wrong = wrongClaimOf(error);
        if (wrong !== undefined) tokenAudit.refused(wrong.claim, wrong.user);
        throw error;
      }
    },
  };
}

function openKeySet({ config, logger, onKeyFetch, now }: TokensOptions, locate: () => Promise<URL> | URL): KeySet {
  return new KeySet({
    locate,
    staleMaxMs: config.jwksStaleMaxS * 1_000,
    now,
    onFetch: (outcome, error) => {
      onKeyFetch(outcome);
      if (outcome === 'failed') logger.warn({ err: error }, 'the key set was not fetched');
    },
  });
}

function providerOf(options: TokensOptions): Provider | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, ...config } = options.config;
  if (issuer === undefined || clientId === undefined) return undefined;
  return createProvider({
    issuer,
    keySet: openKeySet(options, () => discoverKeys({ issuer, timeoutMs: DISCOVERY_TIMEOUT_MS })),
    algorithms: config.oidcAlgorithms,
    audiences: config.oidcAudiences.length > 0 ? config.oidcAudiences : [clientId],
    clients: [clientId, ...config.oidcOtherClients],
    idClaim: config.oidcIdClaim,
    nameClaims: config.oidcNameClaims,
    groupsClaim: config.oidcGroupsClaim,
    allowedGroups: config.oidcAllowedGroups,
    roles: config.oidcRoles,
  });
}

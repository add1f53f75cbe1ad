/** The check of tokens, with its keys, revocations and log. */
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { GatewayConfig } from '../config.ts';
import { type FetchOutcome, KeySet } from '../identity/key-set.ts';
import { createTokens, type Identity, type Tokens } from '../identity/tokens.ts';
import type { Orders } from '../revocation/orders.ts';
import type { RevokedUsers } from '../revocation/revoked-users.ts';
import type { RefusalLog } from '../sessions/refusal-log.ts';

export interface TokensOptions {
  config: GatewayConfig;
  logger: Logger;
  refusalLog: RefusalLog;
  onKeyFetch: (outcome: FetchOutcome) => void;
  orders: Pick<Orders, 'loaded'>;
  revokedUsers: Pick<RevokedUsers, 'isRevoked'>;
  gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>;
  now: () => number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

/** Also says whether an accepted token was revoked since. */
export type CheckedTokens = Tokens & { isRevoked(identity: Pick<Identity, 'user' | 'issuedAtS'>): boolean };

/** Revocations are read within moments of the start, or when the store is back. */
const LOAD_RETRY_MS = 500;

export function createCheckedTokens(options: TokensOptions): CheckedTokens {
  const { config, logger, refusalLog, orders, gate, onKeyFetch, now, storeNow } = options;
  const { jwksUrl } = config;
  const keySet =
    jwksUrl === undefined
      ? undefined
      : new KeySet({
          url: new URL(jwksUrl),
          staleMaxMs: config.jwksStaleMaxS * 1_000,
          now,
          onFetch: (outcome, error) => {
            onKeyFetch(outcome);
            if (outcome === 'failed') logger.warn({ err: error }, 'the key set was not fetched');
          },
        });
  const tokens = createTokens({
    keys: { secret: config.jwtSecret, keySet, issuer: config.jwtIssuer, audience: config.jwtAudience },
    guests: config.guests && config.guestSecret !== undefined ? { secret: config.guestSecret } : undefined,
    lifetimeMaxS: config.tokenLifetimeMaxS,
    now: storeNow,
  });
  const isRevoked: CheckedTokens['isRevoked'] = ({ user, issuedAtS }) =>
    options.revokedUsers.isRevoked({ userId: user.id, issuedAtS });
  return {
    ...tokens,
    isRevoked,
    // For handshakes, renewals and HTTP calls alike.
    async verify(token) {
      try {
        const identity = await tokens.verify(token);
        if (!gate.isOpen()) await gate.whenOpen();
        // A passing condition: it must not refuse for good.
        if (!orders.loaded)
          throw new MaruError('unavailable', 'tokens cannot be checked now', { retryAfterMs: LOAD_RETRY_MS });
        if (isRevoked(identity)) throw new MaruError('unauthenticated', 'a valid token is required: it was revoked');
        return identity;
      } catch (error) {
        refusalLog.token(error);
        throw error;
      }
    },
  };
}

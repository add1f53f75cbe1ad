/** The check of tokens, with its keys and its log. */
import type { Logger } from '@maru/service-kit';
import type { GatewayConfig } from '../config.ts';
import { type FetchOutcome, KeySet } from '../identity/key-set.ts';
import { createTokens, type Tokens } from '../identity/tokens.ts';
import type { RefusalLog } from '../sessions/refusal-log.ts';

export interface TokensOptions {
  config: GatewayConfig;
  logger: Logger;
  refusalLog: RefusalLog;
  onKeyFetch: (outcome: FetchOutcome) => void;
  now: () => number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

export function createCheckedTokens(options: TokensOptions): Tokens {
  const { config, logger, refusalLog, onKeyFetch, now, storeNow } = options;
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
  return {
    ...tokens,
    // For handshakes, renewals and HTTP calls alike.
    async verify(token) {
      try {
        return await tokens.verify(token);
      } catch (error) {
        refusalLog.token(error);
        throw error;
      }
    },
  };
}

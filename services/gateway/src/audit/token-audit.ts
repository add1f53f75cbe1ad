/**
 * Audits tokens of other issuers: the first token of a provider's user on this node, and tokens
 * made for another purpose. Expired tokens are normal and not audited.
 */
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';
import type { Audit } from './audit.ts';
import type { Counted } from './sign-ins.ts';

/** Limit for each claim. */
const REFUSALS: BucketSpec = { perSecond: 1, burst: 20 };
const AUDITED_CLAIMS: ReadonlySet<string> = new Set(['iss', 'aud', 'azp', 'typ', 'sub', 'groups']);
/** Maximum sign-ins to remember, so that a renewed token does not count as a new sign-in. */
const SIGN_INS_MAX = 20_000;
const UNKNOWN = '-';

export interface TokenAudit {
  /** `signIn` names the user's sign-in at the provider. */
  accepted(user: string, signIn: string): void;
  /** A claim was wrong. `user`: set if the token proves the identity. */
  refused(claim: string, user: string | undefined): void;
}

export function createTokenAudit(options: { audit: Audit; onOutcome: Counted; now: () => number }): TokenAudit {
  const { audit, onOutcome, now } = options;
  const known = new Set<string>();
  const buckets = new Map<string, Bucket>();
  const action = 'sign-in.token';
  return {
    accepted(user, signIn) {
      const key = `${signIn} ${user}`;
      if (known.has(key)) return;
      known.add(key);
      for (const oldest of known) {
        if (known.size <= SIGN_INS_MAX) break;
        known.delete(oldest);
      }
      onOutcome('token', 'ok');
      audit.record({ action, by: user, outcome: 'ok' });
    },
    refused(claim, user = UNKNOWN) {
      if (!AUDITED_CLAIMS.has(claim)) return;
      onOutcome('token', 'unauthenticated');
      const bucket = buckets.get(claim) ?? fullBucket(REFUSALS, now());
      buckets.set(claim, bucket);
      if (takeToken(bucket, REFUSALS, now()) > 0) return;
      audit.record({ action, by: user, outcome: 'unauthenticated', reason: claim });
    },
  };
}

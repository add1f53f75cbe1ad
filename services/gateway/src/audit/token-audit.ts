/**
 * Audits tokens that others issued: a provider's users when they first come to this node, and
 * tokens that were made for something else. Expired ones are everyday, and are not audited.
 */
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';
import type { Audit } from './audit.ts';
import type { Counted } from './sign-ins.ts';

/** Of each claim. */
const REFUSALS: BucketSpec = { perSecond: 1, burst: 20 };
const AUDITED_CLAIMS: ReadonlySet<string> = new Set(['iss', 'aud', 'azp', 'typ', 'sub', 'groups']);
/** Sign-ins that this node remembers, so that a renewed token is no new one. */
const SIGN_INS_MAX = 20_000;
const UNKNOWN = '-';

export interface TokenAudit {
  /** `signIn` names the user's sign-in at the provider. */
  accepted(user: string, signIn: string): void;
  /** The claim of a token was wrong; `user` if the token proves who it is. */
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

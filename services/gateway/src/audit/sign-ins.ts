/** Audits sign-ins over HTTP. Refused ones at a bounded rate: anyone can cause them. */
import { MaruError } from '@maru/protocol';
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';
import type { Audit } from './audit.ts';

/** Of each outcome. */
const REFUSALS: BucketSpec = { perSecond: 1, burst: 20 };
/** Who signs in is not known. */
const UNKNOWN = '-';

export interface SignIns {
  /** Runs a sign-in, and audits who signed in, or why not. `kind` is a fixed word. */
  run<T extends { user: { id: string } }>(kind: string, signIn: () => Promise<T>): Promise<T>;
}

export function createSignIns({ audit, now }: { audit: Audit; now: () => number }): SignIns {
  const buckets = new Map<string, Bucket>();
  const mayRecord = (outcome: string): boolean => {
    const bucket = buckets.get(outcome) ?? fullBucket(REFUSALS, now());
    buckets.set(outcome, bucket);
    return takeToken(bucket, REFUSALS, now()) === 0;
  };
  return {
    async run(kind, signIn) {
      try {
        const signedIn = await signIn();
        audit.record({ action: `sign-in.${kind}`, by: signedIn.user.id, outcome: 'ok' });
        return signedIn;
      } catch (error) {
        const outcome = error instanceof MaruError ? error.code : 'internal';
        if (mayRecord(`${kind} ${outcome}`)) audit.record({ action: `sign-in.${kind}`, by: UNKNOWN, outcome });
        throw error;
      }
    },
  };
}

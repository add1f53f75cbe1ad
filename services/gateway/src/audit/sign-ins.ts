/**
 * Audits sign-ins over HTTP. Refused ones are audited at a bounded rate, because anyone can cause
 * them.
 */
import { type ErrorCode, MaruError } from '@maru/protocol';
import { DirectoryUnavailable } from '../directory/directory.ts';
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';
import type { Audit } from './audit.ts';

/** Limit for each outcome. */
const REFUSALS: BucketSpec = { perSecond: 1, burst: 20 };
/** Limit for refusals by a directory. The limits on attempts have already passed. */
const DECIDED: BucketSpec = { perSecond: 20, burst: 1_000 };
/** The user is not known. */
const UNKNOWN = '-';

/** A refusal whose audit event has more details than the answer. */
export class RefusedSignIn extends MaruError {
  /** The reason, as a fixed word. */
  readonly why: string;
  /** The account, if the request named one. */
  readonly user: string | undefined;

  constructor(code: ErrorCode, message: string, { reason, user }: { reason: string; user: string | undefined }) {
    super(code, message);
    this.why = reason;
    this.user = user;
  }
}

/** `ldap`: with a name and a password. */
export type SignInKind = 'guest' | 'ldap';
/** As in audit actions. `renew`: renewal of an `ldap` sign-in. `token`: with a provider's token. */
export type SignInWay = SignInKind | 'renew' | 'token';
export type SignInOutcome = 'ok' | ErrorCode | 'directory_unavailable';
export type Counted = (way: SignInWay, outcome: SignInOutcome) => void;

export interface SignIns {
  /** Runs a sign-in. Audits the user and the address, or the reason of a refusal. */
  run<T extends { user: { id: string } }>(kind: SignInKind, address: string, signIn: () => Promise<T>): Promise<T>;
  /** Runs a renewal, and audits it only if it is refused. */
  renew<T>(address: string, renewal: () => Promise<T>): Promise<T>;
}

export function createSignIns(options: { audit: Audit; now: () => number; onOutcome: Counted }): SignIns {
  const { audit, now, onOutcome } = options;
  const buckets = new Map<string, Bucket>();
  const mayRecord = (outcome: string, spec: BucketSpec): boolean => {
    const bucket = buckets.get(outcome) ?? fullBucket(spec, now());
    buckets.set(outcome, bucket);
    return takeToken(bucket, spec, now()) === 0;
  };
  const refused = (kind: SignInKind | 'renew', address: string, error: unknown): void => {
    const action = `sign-in.${kind}`;
    const outcome = error instanceof MaruError ? error.code : 'internal';
    const isDirectory = error instanceof MaruError && error.cause instanceof DirectoryUnavailable;
    onOutcome(kind, isDirectory ? 'directory_unavailable' : outcome);
    if (error instanceof RefusedSignIn) {
      const { why: reason, user = UNKNOWN } = error;
      if (mayRecord(`${action} decided`, DECIDED)) audit.record({ action, by: user, address, outcome, reason });
    } else if (mayRecord(`${action} ${outcome}`, REFUSALS)) audit.record({ action, by: UNKNOWN, address, outcome });
  };
  return {
    async run(kind, address, signIn) {
      try {
        const signedIn = await signIn();
        onOutcome(kind, 'ok');
        audit.record({ action: `sign-in.${kind}`, by: signedIn.user.id, address, outcome: 'ok' });
        return signedIn;
      } catch (error) {
        refused(kind, address, error);
        throw error;
      }
    },
    async renew(address, renewal) {
      try {
        const renewed = await renewal();
        onOutcome('renew', 'ok');
        return renewed;
      } catch (error) {
        refused('renew', address, error);
        throw error;
      }
    },
  };
}

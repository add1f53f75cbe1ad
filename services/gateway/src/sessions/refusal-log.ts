/**
 * Logs why clients are refused, at a bounded rate for each reason, so that an attacker cannot fill
 * the disk. The metrics count all refusals. A line names the reason, never a value of the client.
 */
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';

const LINES: BucketSpec = { perSecond: 1, burst: 20 };

export interface RefusalLog {
  /**
   * A token was not accepted. `unauthenticated` names the wrong claim. Any other error is
   * temporary.
   */
  token(error: unknown): void;
  /** `reason` is one of a fixed set. */
  handshake(reason: string): void;
}

export function createRefusalLog({ logger, now }: { logger: Logger; now: () => number }): RefusalLog {
  const buckets = new Map<string, Bucket>();
  const mayLog = (kind: string): boolean => {
    const bucket = buckets.get(kind) ?? fullBucket(LINES, now());
    buckets.set(kind, bucket);
    return takeToken(bucket, LINES, now()) === 0;
  };
  return {
    token(error) {
      if (error instanceof MaruError && error.code === 'unauthenticated') {
        if (mayLog('unauthenticated')) logger.info({ reason: error.message }, 'a token was refused');
      } else if (mayLog('keys')) logger.warn({ err: error }, 'a token was not checked');
    },
    handshake(reason) {
      if (mayLog(reason)) logger.info({ reason }, 'a handshake was refused');
    },
  };
}

/** The one error for every failure of the store. */
import { MaruError } from '@maru/protocol';

export const isUnavailable = (error: unknown): boolean => error instanceof MaruError && error.code === 'unavailable';

/**
 * A client may retry after every kind of store failure: refused, hung, full, read-only or loading.
 */
export function unavailable(cause: unknown): MaruError {
  if (cause instanceof MaruError) return cause;
  return new MaruError('unavailable', 'the store is not available now', { retryAfterMs: 500, cause });
}

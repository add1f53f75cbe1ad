import type { EndReason } from '@maru/client';
import type { ErrorCode } from '@maru/protocol/errors';
import type { Catalogue } from './en.ts';

/** The text for an error code. The server's message is for developers. */
const ERROR_WORDS: Record<ErrorCode, (keyof Catalogue & `error${string}`) | 'endUnauthenticated'> = {
  unauthenticated: 'endUnauthenticated',
  forbidden: 'errorForbidden',
  not_found: 'errorNotFound',
  invalid: 'errorInvalid',
  too_large: 'errorTooLarge',
  conflict: 'errorConflict',
  rate_limited: 'errorRateLimited',
  internal: 'errorInternal',
  unavailable: 'errorUnavailable',
};

export const wordsOfError = (t: Catalogue, code: ErrorCode): string => t[ERROR_WORDS[code]];

export function wordsOfEnd(t: Catalogue, reason: EndReason): string | null {
  switch (reason) {
    case 'closed':
      return null;
    case 'unauthenticated':
      return t.endUnauthenticated;
    case 'revoked':
      return t.endRevoked;
    case 'expired':
      return t.endExpired;
    case 'disconnected':
      return t.endDisconnected;
  }
}

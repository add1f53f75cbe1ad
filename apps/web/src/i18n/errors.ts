import type { EndReason } from '@maru/client';
import type { MessageActType } from '@maru/client/conversation';
import type { ErrorCode } from '@maru/protocol/errors';
import type { Catalogue } from './catalogue.ts';

/** Maps error codes to texts. The server's own error messages are for developers. */
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

const CONFLICTS = {
  edit: 'tooManyEdits',
  react: 'tooManyReactions',
  pin: 'tooManyPins',
  delete: 'messageGone',
} as const satisfies Record<MessageActType, keyof Catalogue>;

/** The text for a refused act on a message. */
export function wordsOfRefusal(t: Catalogue, act: MessageActType, code: ErrorCode): string {
  if (code === 'conflict') return t[CONFLICTS[act]];
  if (code === 'not_found') return t.messageGone;
  return code === 'forbidden' ? t.roleForbids : wordsOfError(t, code);
}

export const wordsOfError = (t: Catalogue, code: ErrorCode): string => t[ERROR_WORDS[code]];

/** The text for a failed sign-in at a provider. */
export function wordsOfStart(t: Catalogue, problem: 'failed' | 'refused' | 'forbidden' | null): string | null {
  if (problem === null) return null;
  return { failed: t.signInFailed, refused: t.signInRefused, forbidden: t.signInForbidden }[problem];
}

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

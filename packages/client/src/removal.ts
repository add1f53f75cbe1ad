/** The error of messages to a room after the user was removed from it. */
import { ERROR_CATALOGUE, type ErrorBody, type ErrorCode } from '@maru/protocol/errors';
import type { RemovalReason } from '@maru/protocol/events';

const REMOVALS: Record<RemovalReason, [code: ErrorCode, message: string]> = {
  kicked: ['forbidden', 'you were removed from this room'],
  banned: ['forbidden', 'you are banned from this room'],
  closed: ['forbidden', 'an administrator has closed this room'],
  left: ['not_found', 'you have left this room'],
  deleted: ['not_found', 'this room was deleted'],
};

/** A reason of a newer server counts as a removal without an explanation. */
export function errorOfRemoval(reason: RemovalReason): ErrorBody {
  const [code, message] = REMOVALS[reason] ?? REMOVALS.kicked;
  return { code, message, retryable: ERROR_CATALOGUE[code].retryable };
}

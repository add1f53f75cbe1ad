/** Checks a status text before it is sent. The server checks it too. */
import { codePointCount } from '@maru/client';
import { LIMITS } from '@maru/protocol/limits';

export type StatusTextProblem = 'tooLong' | 'unsafe';

const UNSAFE = /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

export function statusTextProblem(text: string): StatusTextProblem | null {
  if (codePointCount(text.trim()) > LIMITS.statusTextCharsMax) return 'tooLong';
  return UNSAFE.test(text) ? 'unsafe' : null;
}

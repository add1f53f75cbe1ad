/** Checks a name before it is sent. The server checks it too. */
import { codePointCount } from '@maru/client';
import { LIMITS } from '@maru/protocol/limits';
import { hasHiddenInName, hasVisible } from '@maru/protocol/visible';

export type NameProblem = 'nameMissing' | 'nameTooLong' | 'nameUnsafe';

export function nameProblem(name: string): NameProblem | null {
  if (!hasVisible(name)) return 'nameMissing';
  if (codePointCount(name) > LIMITS.nameCharsMax) return 'nameTooLong';
  if (hasHiddenInName(name)) return 'nameUnsafe';
  return /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(name) ? 'nameUnsafe' : null;
}

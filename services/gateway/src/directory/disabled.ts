/**
 * Attributes that mark an account as disabled. Pure. A temporary lock does not count: anyone who
 * types wrong passwords can cause it, so it must not end a person's session. Such a lock only
 * refuses the bind of a sign-in.
 */

type Rule = (value: string, nowMs: number) => boolean;

const DAY_MS = 86_400_000;
/** From 1601, the epoch of Active Directory, to 1970. */
const FILETIME_OFFSET_MS = 11_644_473_600_000;
/** Two values that mean "never". */
const FILETIME_NEVER = new Set(['0', '9223372036854775807']);
const ACCOUNT_DISABLED = 2;
const LOCKED_FOR_GOOD = '000001010000Z';

const isTrue: Rule = (value) => value.toLowerCase() === 'true';

const RULES = {
  /** Active Directory. */
  userAccountControl: (value) => (Number(value) & ACCOUNT_DISABLED) !== 0,
  accountExpires: (value, nowMs) => !FILETIME_NEVER.has(value) && Number(value) / 10_000 - FILETIME_OFFSET_MS <= nowMs,
  /** 389 Directory Server, FreeIPA. */
  nsAccountLock: isTrue,
  /** eDirectory. */
  loginDisabled: isTrue,
  /** OpenLDAP's password policy. */
  pwdAccountLockedTime: (value) => value === LOCKED_FOR_GOOD,
  /** RFC 2307: a day since 1970. 0 and -1 mean "never". */
  shadowExpire: (value, nowMs) => Number(value) > 0 && Number(value) * DAY_MS <= nowMs,
} as const satisfies Record<string, Rule>;

export type DisabledAttribute = keyof typeof RULES;
export const DISABLED_ATTRIBUTES = Object.keys(RULES) as DisabledAttribute[];

/** Missing attributes are ignored. */
export const isDisabled = (
  attributes: readonly DisabledAttribute[],
  valuesOf: (attribute: string) => string[],
  nowMs: number,
): boolean => attributes.some((name) => valuesOf(name).some((value) => RULES[name](value, nowMs)));

/** Settings of password sign-in: tokens, and limits of attempts. */
import { asInteger } from '@maru/service-kit';

export const SIGN_IN_FIELDS = {
  signInTokenS: {
    env: 'MARU_SIGN_IN_TOKEN_S',
    doc: 'lifetime in seconds of a token that a sign-in with a password gives; an account that is disabled or leaves its group is gone after it',
    parse: asInteger(10, 86_400),
    fallback: 600,
  },
  signInLateMaxS: {
    env: 'MARU_SIGN_IN_LATE_MAX_S',
    doc: 'how long after its expiry such a token can be renewed, in seconds; for laptops that sleep',
    parse: asInteger(0, 30 * 86_400),
    fallback: 86_400,
  },
  signInSessionMaxS: {
    env: 'MARU_SIGN_IN_SESSION_MAX_S',
    doc: 'how long after the password was given such tokens can be renewed, in seconds',
    parse: asInteger(600, 366 * 86_400),
    fallback: 7 * 86_400,
  },
  signInFailuresFree: {
    env: 'MARU_SIGN_IN_FAILURES_FREE',
    doc: 'wrong passwords for one account from one address before it must wait; keep it below the number at which the directory locks the account',
    parse: asInteger(1, 100),
    fallback: 5,
  },
  signInWaitMaxS: {
    env: 'MARU_SIGN_IN_WAIT_MAX_S',
    doc: 'the longest of these waits, in seconds; they begin at 1 s and double',
    parse: asInteger(30, 300),
    fallback: 60,
  },
  signInAddressBurst: {
    env: 'MARU_SIGN_IN_ADDRESS_BURST',
    doc: 'wrong passwords from one address for accounts that never signed in there; wide, because offices share an address',
    parse: asInteger(10, 1_000_000),
    fallback: 300,
  },
  signInAddressPerMinute: {
    env: 'MARU_SIGN_IN_ADDRESS_PER_MINUTE',
    doc: 'the same per minute, after the burst',
    parse: asInteger(1, 60_000),
    fallback: 60,
  },
  signInRefusalMs: {
    env: 'MARU_SIGN_IN_REFUSAL_MS',
    doc: 'a refusal takes this long, whatever the reason, so that its time tells nothing',
    parse: asInteger(0, 10_000),
    fallback: 1_000,
  },
} as const;

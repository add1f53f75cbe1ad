/**
 * Limits attempts to sign in with a password, in the whole cluster. Three limits apply together:
 *
 * - An account at one address: a few failures, then a wait that doubles up to a maximum.
 * - An account at all addresses from which it never signed in: a budget. One attacker alone cannot
 * use it up, because the first limit is slower than it refills.
 * - An address with all accounts that never signed in there: a large budget, against trying one
 * password with many accounts.
 *
 * For a user who has signed in from the address before, only the first limit applies. So a flood
 * from elsewhere locks no user out, and a flood from an office locks out none of its people.
 */
import { createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import { foldName } from '../directory/names.ts';
import { signInBudgetsKey, signInFailuresKey, signInFailureTimesKey, signInKnownKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';

export const beginScript = loadScript(new URL('./begin-attempt.lua', import.meta.url));
export const settleScript = loadScript(new URL('./settle-attempt.lua', import.meta.url));

export interface AttemptLimits {
  /** Failures of an account at one address before it must wait, and the maximum wait. */
  freeFailures: number;
  waitMaxMs: number;
  /** Failures of an address with accounts that never signed in there. */
  addressBurst: number;
  addressPerMinute: number;
}

/** An attempt counts as failed until it is settled. */
export interface Attempt {
  succeeded(): Promise<void>;
  /** It is unknown whether the password was right. */
  undone(): Promise<void>;
}

export interface Attempts {
  /**
   * Starts an attempt with the typed name. Returns the wait instead if no attempt is allowed now.
   */
  beginByName(name: string, address: string): Promise<Attempt | number>;
  /** Starts an attempt with the account of the name. One account may have several names. */
  beginById(id: string, address: string): Promise<Attempt | number>;
}

const ACCOUNT_BURST = 20;
/** More than twice this value is the maximum wait at one address. */
const ACCOUNT_INTERVAL_MS = 30_000;
/** Maximum entries of each key in the store, about 100 bytes each. */
const ENTRIES_MAX = 200_000;
const KNOWN_ADDRESSES_MAX = 16;
const KNOWN_MS = 30 * 86_400_000;

export function createAttempts(options: { store: RedisStore; limits: AttemptLimits; secret: string }): Attempts {
  const { store, limits } = options;
  const addressIntervalMs = 60_000 / limits.addressPerMinute;
  // Some users type their password into the name field, so names are stored only as digests.
  const digest = (text: string) =>
    createHmac('sha256', options.secret).update(`maru sign-in ${text}`).digest('base64url').slice(0, 22);

  const begin = async (account: string, address: string, addressBurst: number): Promise<Attempt | number> => {
    const keys = [signInFailuresKey(), signInFailureTimesKey(), signInBudgetsKey(), signInKnownKey(account)];
    const call = (script: typeof beginScript, args: Array<string | number>) =>
      runScript(store, script, keys, [account, address, ...args]).catch((error: unknown) => {
        throw unavailable(error);
      });
    const [waitMs, known] = (await call(beginScript, [
      ...[limits.freeFailures, limits.waitMaxMs],
      ...[ACCOUNT_BURST, ACCOUNT_INTERVAL_MS, addressBurst, addressIntervalMs, ENTRIES_MAX],
    ])) as [number, number];
    if (waitMs > 0) return waitMs;
    const settle = async (outcome: 'ok' | 'undone') => {
      const counted = addressBurst > 0 ? addressIntervalMs : 0;
      await call(settleScript, [outcome, known, ACCOUNT_INTERVAL_MS, counted, KNOWN_ADDRESSES_MAX, KNOWN_MS]);
    };
    return { succeeded: () => settle('ok'), undone: () => settle('undone') };
  };

  return {
    beginByName: (name, address) =>
      begin(digest(`name ${foldName(name)}`), digest(networkOf(address)), limits.addressBurst),
    beginById: (id, address) => begin(digest(`id ${id}`), digest(networkOf(address)), 0),
  };
}

/** An IPv4 address, or the network of an IPv6 address that one subscriber has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0');
  return [...groups, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

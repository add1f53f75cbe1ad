/**
 * Attempts to sign in with a password, over the whole cluster. Three bounds hold together:
 *
 * - an account at one address: a few failures, then a wait that doubles up to a maximum;
 * - an account at all addresses from which it never signed in: a budget that one attacker alone
 *   cannot exhaust, because the first bound is slower than it refills;
 * - an address with all accounts that never signed in there: a wide budget, against trying one
 *   password with many accounts.
 *
 * Who signed in from the address before meets only the first bound. So a flood from elsewhere locks
 * no user out, and a flood from an office locks out none of its people.
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
  /** Failures of an account at one address before it must wait, and the longest wait. */
  freeFailures: number;
  waitMaxMs: number;
  /** Failures of an address with accounts that it is not known to. */
  addressBurst: number;
  addressPerMinute: number;
}

/** It counts as failed until it is settled. */
export interface Attempt {
  succeeded(): Promise<void>;
  /** It is unknown whether the password was right. */
  undone(): Promise<void>;
}

export interface Attempts {
  /** The name as it was typed. Gives the time to wait instead, if it may not be tried now. */
  beginByName(name: string, address: string): Promise<Attempt | number>;
  /** The account that the name means: one account may have several names. */
  beginById(id: string, address: string): Promise<Attempt | number>;
}

const ACCOUNT_BURST = 20;
/** Longer than twice this is the longest wait of one address. */
const ACCOUNT_INTERVAL_MS = 30_000;
/** Of each key in the store, about 100 bytes each. */
const ENTRIES_MAX = 200_000;
const KNOWN_ADDRESSES_MAX = 16;
const KNOWN_MS = 30 * 86_400_000;

export function createAttempts(options: { store: RedisStore; limits: AttemptLimits; secret: string }): Attempts {
  const { store, limits } = options;
  const addressIntervalMs = 60_000 / limits.addressPerMinute;
  // Users type passwords into the field of the name, so names are not stored as they are.
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

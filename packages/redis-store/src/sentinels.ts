/**
 * Who the primary is, as Sentinels say. One that was replaced may not know it: it hung or was cut off, wakes, and takes writes for some ten
 * seconds, until a Sentinel demotes it. So nobody here believes a primary about itself. Every Sentinel is asked all the time; one whose
 * configuration is newer is believed before the others; and while one of them makes a replica the primary there is none for us.
 * (`docs/decisions/0016-…`)
 */

import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import type { HostAndPort } from './address.ts';
import { waitUntilReady } from './connect.ts';
import { addressOf, type Topology } from './topology.ts';

/** What one Sentinel says. */
export interface Opinion {
  /** `host:port` */
  primary: string;
  /** Of the configuration that it has heard of; every failover makes a higher one. */
  epoch: number;
  /** It is making a replica the primary now: what the old one takes from here on is lost. */
  isPromoting: boolean;
  /** All is as it should be. */
  isCalm: boolean;
}

/** A Sentinel is asked so often; and so often while it sees trouble, as it does for a while before it replaces a primary. */
const LOOK_MS = 250;
const LOOK_IN_TROUBLE_MS = 50;
const CONNECT_MAX_MS = 1_000;
/** The states of a failover in which the replica is told, and may have become the primary without the Sentinel knowing it yet. */
const PROMOTING = new Set(['send_slaveof_noone', 'wait_promotion']);

/** The primary's address. Undefined while there is none. */
export function primaryOf(opinions: readonly Opinion[]): string | undefined {
  if (opinions.some(({ isPromoting }) => isPromoting)) return undefined;
  return opinions.reduce((best, next) => (next.epoch > best.epoch ? next : best)).primary;
}

/** A store of one shard, which is where the Sentinels say. While none of them answers, what they said last holds. */
export function watchSentinels(options: {
  sentinels: HostAndPort[];
  /** Of the primary, as the Sentinels call it. */
  name: string;
  /** Opens the connection that a Sentinel is asked on, with a deadline for each command. */
  connect: (sentinel: HostAndPort) => Redis;
  logger: Logger;
}): Topology {
  const { name, logger } = options;
  const opinions = new Map<HostAndPort, Opinion>();
  const unheard = new Set(options.sentinels);
  const listeners: Array<() => void> = [];
  let primary: string | undefined;
  let primaries: ReadonlySet<string> = new Set();
  let closed = false;

  const decide = () => {
    // In the beginning all are heard first: the one that knows best may be the last to answer.
    if (closed || opinions.size === 0 || unheard.size > 0) return;
    const next = primaryOf([...opinions.values()]);
    if (next === primary) return;
    if (next === undefined) logger.warn({ before: primary }, 'no primary: Sentinels are making a replica one');
    else logger.info({ primary: next }, 'Sentinels name the primary');
    primary = next;
    primaries = new Set(next === undefined ? [] : [next]);
    for (const listener of listeners) listener();
  };

  const watch = (sentinel: HostAndPort) => {
    const redis = options.connect(sentinel);
    let lastReason = '';
    let timer: NodeJS.Timeout | undefined;

    const look = async () => {
      try {
        if (!(await waitUntilReady(redis, CONNECT_MAX_MS))) throw new Error('it cannot be reached');
        opinions.set(sentinel, await ask(redis, name));
        lastReason = '';
      } catch (error) {
        opinions.delete(sentinel);
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== lastReason && !closed)
          logger.warn({ sentinel: addressOf(sentinel), reason }, 'a Sentinel does not name the primary');
        lastReason = reason;
      }
      unheard.delete(sentinel);
      decide();
      if (closed) return;
      const pauseMs =
        opinions.get(sentinel)?.isCalm === false ? LOOK_IN_TROUBLE_MS : LOOK_MS * (0.75 + Math.random() / 2);
      timer = setTimeout(look, pauseMs);
    };

    void look();
    return () => {
      clearTimeout(timer);
      redis.disconnect();
    };
  };

  const endings = options.sentinels.map(watch);

  return {
    ownerOf: () => primary,
    get primaries() {
      return primaries;
    },
    get isCovered() {
      return primary !== undefined;
    },
    onChange(callback) {
      listeners.push(callback);
    },
    noteMoved: () => {},
    // They are asked again at once as it is.
    doubt: () => {},
    close() {
      closed = true;
      for (const end of endings) end();
    },
  };
}

async function ask(redis: Redis, name: string): Promise<Opinion> {
  const told = (await redis.call('SENTINEL', 'MASTER', name)) as string[];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < told.length; i += 2) fields.set(told[i] as string, told[i + 1] as string);
  const state = fields.get('failover-state');
  // While it leads a failover it goes on telling the old primary's address here, and there the new one's as soon as that is promoted.
  const address =
    state === undefined
      ? [fields.get('ip'), fields.get('port')]
      : ((await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[]);
  return {
    primary: addressOf({ host: String(address[0]), port: Number(address[1]) }),
    epoch: Number(fields.get('config-epoch')),
    isPromoting: state !== undefined && PROMOTING.has(state),
    isCalm: fields.get('flags') === 'master',
  };
}

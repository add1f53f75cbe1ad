/**
 * Which primary of a Redis Cluster holds which slot. One node is asked once a second and whenever somebody was sent elsewhere; one that
 * does not answer, or is itself cut off from the Cluster, is left for the next. It holds no connection but the one it asks on.
 */
import type { Redis } from 'ioredis';
import { type HostAndPort, parseHost } from './address.ts';
import { waitUntilReady } from './connect.ts';

export const SLOTS = 16_384;

export interface Topology {
  /** The address of the primary that holds the slot, as far as is known: `host:port`. */
  ownerOf(slot: number): string | undefined;
  /** Addresses of all primaries that hold slots. */
  readonly primaries: ReadonlySet<string>;
  /** Whether every slot is held by somebody. */
  readonly isCovered: boolean;
  /** Called after slots have changed hands. */
  onChange(callback: () => void): void;
  /** `from` answered that the slot is at `address` now: believed at once. */
  noteMoved(slot: number, address: string, from: string): void;
  /** Something went wrong that a change would explain: looks soon. */
  doubt(): void;
  close(): void;
}

const LOOK_MS = 1_000;
/** A node that cannot be reached within this is left for the next. */
const CONNECT_MAX_MS = 1_000;
/** After a look that failed, or in doubt; never more often. */
const LOOK_AGAIN_MS = 100;
/** A node that sends us elsewhere knows; the one that is asked may not have heard yet, and is not believed about that slot for so long. */
const MOVED_HOLDS_MS = 2_000;

type SlotRange = [
  first: number,
  last: number,
  primary: [host: string | null, port: number, ...unknown[]],
  ...unknown[],
];

export const addressOf = ({ host, port }: HostAndPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

export function hostOf(address: string): HostAndPort {
  const parsed = parseHost(address, 0);
  if (parsed === undefined) throw new Error(`${address} is no host:port`);
  return parsed;
}

export function watchTopology(options: {
  seeds: HostAndPort[];
  /** Opens the connection that a node is asked on, with a deadline for each command. */
  connect: (address: string) => Redis;
  now: () => number;
}): Topology {
  const { now } = options;
  const owners: Array<string | undefined> = Array.from({ length: SLOTS });
  const moved = new Map<number, { address: string; untilMs: number }>();
  const listeners: Array<() => void> = [];
  const seeds = options.seeds.map(addressOf);
  let primaries: ReadonlySet<string> = new Set();
  let isCovered = false;
  let asked: { address: string; redis: Redis } | undefined;
  let turn = 0;
  let looking = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const lookIn = (ms: number) => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(look, ms);
  };

  const changed = () => {
    primaries = new Set(owners.filter((owner) => owner !== undefined));
    isCovered = owners.every((owner) => owner !== undefined);
    for (const listener of listeners) listener();
  };

  const askNext = () => {
    asked?.redis.disconnect();
    const known = [...new Set([...primaries, ...seeds])];
    const address = known[turn++ % known.length] as string;
    asked = { address, redis: options.connect(address) };
  };

  const look = async () => {
    if (looking || closed) return;
    looking = true;
    if (asked === undefined) askNext();
    const { address, redis } = asked as { address: string; redis: Redis };
    let seenWell = false;
    try {
      if (!(await waitUntilReady(redis, CONNECT_MAX_MS))) throw new Error('cannot be reached');
      const [info, ranges] = (await Promise.all([redis.call('CLUSTER', 'INFO'), redis.call('CLUSTER', 'SLOTS')])) as [
        string,
        SlotRange[],
      ];
      seenWell = info.includes('cluster_state:ok');
      // One that is cut off does not hear of changes: it is believed only as long as nobody else has said anything.
      if (seenWell || primaries.size === 0) take(ranges, hostOf(address).host);
    } catch {
      // The next one is asked; that nobody answers is seen by those who need the store.
    }
    looking = false;
    lookedAt = now();
    if (!seenWell && !closed) askNext();
    lookIn(seenWell ? LOOK_MS * (0.75 + Math.random() / 2) : LOOK_AGAIN_MS);
  };

  const take = (ranges: SlotRange[], askedHost: string) => {
    const next: Array<string | undefined> = Array.from({ length: SLOTS });
    for (const [first, last, [host, port]] of ranges) {
      // No host means the one that was asked, by whatever name.
      next.fill(addressOf({ host: host || askedHost, port }), first, last + 1);
    }
    for (const [slot, { address, untilMs }] of moved) {
      if (untilMs < now()) moved.delete(slot);
      else next[slot] = address;
    }
    let isDifferent = false;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (owners[slot] === next[slot]) continue;
      owners[slot] = next[slot];
      isDifferent = true;
    }
    if (isDifferent) changed();
  };

  const doubt = () => {
    if (!looking) lookIn(Math.max(0, lookedAt + LOOK_AGAIN_MS - now()));
  };

  void look();

  return {
    ownerOf: (slot) => owners[slot],
    get primaries() {
      return primaries;
    },
    get isCovered() {
      return isCovered;
    },
    onChange(callback) {
      listeners.push(callback);
    },
    noteMoved(slot, address, from) {
      const target = parseHost(address.startsWith(':') ? hostOf(from).host + address : address, 0);
      if (target === undefined || !Number.isInteger(slot) || slot < 0 || slot >= SLOTS) return;
      const owner = addressOf(target);
      moved.set(slot, { address: owner, untilMs: now() + MOVED_HOLDS_MS });
      doubt();
      if (owners[slot] === owner) return;
      owners[slot] = owner;
      changed();
    },
    doubt,
    close() {
      closed = true;
      clearTimeout(timer);
      asked?.redis.disconnect();
    },
  };
}

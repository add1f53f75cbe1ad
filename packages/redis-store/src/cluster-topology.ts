/**
 * The topology of a Redis Cluster. It asks one node every second, and soon after a redirection or a
 * failure. If that node does not answer, or is itself cut off from the Cluster, it asks the next
 * one.
 */
import type { Redis } from 'ioredis';
import type { HostAndPort } from './address.ts';
import { waitUntilReady } from './connect.ts';
import { type SlotRange, SlotTable } from './slot-table.ts';
import { addressOf, hostOf, type Topology } from './topology.ts';

const POLL_MS = 1_000;
/** Minimum interval of polls: after a failed poll, and for `recheck`. */
const REPOLL_MS = 100;
const CONNECT_TIMEOUT_MS = 1_000;

export interface ClusterOptions {
  seeds: HostAndPort[];
  /** Opens a connection to ask a node, with a deadline for each command. */
  connect: (address: string) => Redis;
  now: () => number;
}

export class ClusterTopology implements Topology {
  readonly #options: ClusterOptions;
  readonly #table = new SlotTable();
  readonly #listeners: Array<() => void> = [];
  #asked: { address: string; redis: Redis };
  #turn = 0;
  #isPolling = false;
  #polledAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#asked = this.#connectNext();
    void this.#poll();
  }

  get primaries(): ReadonlySet<string> {
    return this.#table.primaries;
  }

  get isCovered(): boolean {
    return this.#table.isCovered;
  }

  ownerOf(slot: number): string | undefined {
    return this.#table.ownerOf(slot);
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  noteMoved(slot: number, address: string, from: string): void {
    const isChanged = this.#table.move(slot, address, from, this.#options.now());
    this.recheck();
    if (isChanged) this.#announce();
  }

  recheck(): void {
    if (!this.#isPolling) this.#pollIn(Math.max(0, this.#polledAt + REPOLL_MS - this.#options.now()));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#asked.redis.disconnect();
  }

  #pollIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#poll(), ms);
  }

  #connectNext() {
    const addresses = [...new Set([...this.#table.primaries, ...this.#options.seeds.map(addressOf)])];
    const address = addresses[this.#turn++ % addresses.length] as string;
    return { address, redis: this.#options.connect(address) };
  }

  async #poll(): Promise<void> {
    if (this.#isPolling || this.#isClosed) return;
    this.#isPolling = true;
    // Users of the store see a failure themselves. Here it only selects the next node.
    const isHealthy = await this.#ask().catch(() => false);
    this.#isPolling = false;
    this.#polledAt = this.#options.now();
    if (!isHealthy && !this.#isClosed) {
      this.#asked.redis.disconnect();
      this.#asked = this.#connectNext();
    }
    // Jitter, so that the processes of a cluster do not all ask at the same time.
    this.#pollIn(isHealthy ? POLL_MS * (0.75 + Math.random() / 2) : REPOLL_MS);
  }

  /** False if the node is cut off from the Cluster. */
  async #ask(): Promise<boolean> {
    const { address, redis } = this.#asked;
    if (!(await waitUntilReady(redis, CONNECT_TIMEOUT_MS))) throw new Error('not connected');
    const [info, ranges] = (await Promise.all([redis.call('CLUSTER', 'INFO'), redis.call('CLUSTER', 'SLOTS')])) as [
      string,
      SlotRange[],
    ];
    const isHealthy = info.includes('cluster_state:ok');
    // A node that is cut off does not notice changes. Its answer is used only while nothing else is
    // known.
    if (!isHealthy && this.#table.primaries.size > 0) return false;
    if (this.#table.update(ranges, hostOf(address).host, this.#options.now())) this.#announce();
    return isHealthy;
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }
}

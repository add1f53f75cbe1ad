/**
 * Limits the connections of a user in the whole cluster. The first few on a node are free and need
 * no call of the store. For more, the node claims all of them, and repeats the claim until they
 * end. So a user has at most `max` connections, plus `FREE_CONNECTIONS` for each node without a
 * claim. The claim of a dead node expires.
 *
 * While the store does not answer, connections are accepted: the limit of each node still holds,
 * and clients must be able to connect.
 */
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { Ticker } from '../cluster/ticker.ts';
import { userConnectionsKey } from '../keys.ts';

const claimScript = loadScript(new URL('./claim-connections.lua', import.meta.url));

/** Connections of a user on one node that need no claim. */
export const FREE_CONNECTIONS = 5;
/** A claim is repeated this often within its lifetime. */
const CLAIMS_PER_TTL = 3;
const TICK_MS = 500;

export interface ConnectionSlotsOptions {
  store: RedisStore;
  node: string;
  max: number;
  /** Lifetime of a claim that is not repeated. */
  ttlMs: number;
  /** The signed-in connections of the user on this node. */
  connectionsOf: (userId: string) => number;
  now: () => number;
}

/** One user's claim of this node. */
interface Claim {
  granted: number;
  waiting: Array<{ transport: object; resolve: (reserved: boolean) => void }>;
  /** A call of the store is in progress. */
  claiming: boolean;
  /** The number of connections changed during the call. */
  changed: boolean;
  repeatAtMs: number;
}

export class ConnectionSlots {
  readonly #options: ConnectionSlotsOptions;
  /** Users with more connections than are free. */
  readonly #claims = new Map<string, Claim>();
  /**
   * Transports with a slot but without a session, with their users. Also the number for each user.
   */
  readonly #reserved = new WeakMap<object, string>();
  readonly #reservedOf = new Map<string, number>();

  constructor(options: ConnectionSlotsOptions) {
    this.#options = options;
  }

  /** Repeats claims. Returns a function that stops that. */
  start(ticker: Ticker): () => void {
    return ticker.join(TICK_MS, () => {
      const now = this.#options.now();
      for (const [userId, claim] of this.#claims) if (now >= claim.repeatAtMs) void this.#claim(userId, claim);
    });
  }

  /**
   * Reserves a slot for the transport, until `use` or `cancel`. False if the user has too many
   * connections. Never rejects.
   */
  reserve(transport: object, userId: string): boolean | Promise<boolean> {
    const claim = this.#claims.get(userId);
    // A claim in progress may lower the granted number.
    const granted = claim === undefined || claim.claiming ? 0 : claim.granted;
    if (this.#hasRoom(userId, granted)) {
      this.#note(transport, userId);
      return true;
    }
    const opened = claim ?? { granted: 0, waiting: [], claiming: false, changed: false, repeatAtMs: 0 };
    this.#claims.set(userId, opened);
    return new Promise((resolve) => {
      opened.waiting.push({ transport, resolve });
      void this.#claim(userId, opened);
    });
  }

  /** The session starts: from now on `connectionsOf` counts it. False without a reservation. */
  use(transport: object): boolean {
    return this.#forget(transport) !== undefined;
  }

  /** The transport ended before its session began. */
  cancel(transport: object): void {
    const userId = this.#forget(transport);
    if (userId !== undefined) this.released(userId);
  }

  /** `connectionsOf` the user has decreased. */
  released(userId: string): void {
    const claim = this.#claims.get(userId);
    if (claim !== undefined) void this.#claim(userId, claim);
  }

  #held(userId: string): number {
    return this.#options.connectionsOf(userId) + (this.#reservedOf.get(userId) ?? 0);
  }

  #hasRoom(userId: string, granted: number): boolean {
    return this.#held(userId) < Math.max(FREE_CONNECTIONS, granted);
  }

  #note(transport: object, userId: string): void {
    this.#reserved.set(transport, userId);
    this.#reservedOf.set(userId, (this.#reservedOf.get(userId) ?? 0) + 1);
  }

  #forget(transport: object): string | undefined {
    const userId = this.#reserved.get(transport);
    if (userId === undefined) return undefined;
    this.#reserved.delete(transport);
    const left = (this.#reservedOf.get(userId) ?? 1) - 1;
    if (left > 0) this.#reservedOf.set(userId, left);
    else this.#reservedOf.delete(userId);
    return userId;
  }

  /** Calls for one user run one after the other, so changes during a call share the next one. */
  async #claim(userId: string, claim: Claim): Promise<void> {
    claim.changed = true;
    if (claim.claiming) return;
    claim.claiming = true;
    while (claim.changed) {
      claim.changed = false;
      const asking = claim.waiting.length;
      const held = this.#held(userId);
      claim.granted = await this.#request(userId, held, held + asking);
      claim.repeatAtMs = this.#options.now() + this.#options.ttlMs / CLAIMS_PER_TTL;
      for (const { transport, resolve } of claim.waiting.splice(0, asking)) {
        const reserved = this.#hasRoom(userId, claim.granted);
        if (reserved) this.#note(transport, userId);
        resolve(reserved);
      }
    }
    claim.claiming = false;
    if (this.#held(userId) <= FREE_CONNECTIONS) this.#claims.delete(userId);
  }

  async #request(userId: string, held: number, wanted: number): Promise<number> {
    const { store, node, max, ttlMs } = this.#options;
    const args = [node, held, wanted, FREE_CONNECTIONS, max, ttlMs];
    try {
      return (await runScript(store, claimScript, [userConnectionsKey(userId)], args)) as number;
    } catch {
      return wanted;
    }
  }
}

/**
 * The topology of one primary with Sentinels: a single shard, whose primary the Sentinels name.
 *
 * A primary may not know that it was replaced: it hangs or is cut off, continues, and accepts
 * writes for about ten seconds until a Sentinel demotes it. Those writes are lost. Therefore the
 * topology never asks a primary about itself. It asks all Sentinels continuously. The Sentinel with
 * the newest configuration counts, and while any Sentinel promotes a replica there is no primary.
 * (`docs/decisions/0016-…`)
 */
import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import type { HostAndPort } from './address.ts';
import { waitUntilReady } from './connect.ts';
import { addressOf, type Topology } from './topology.ts';

/** The answer of one Sentinel. */
export interface Opinion {
  /** `host:port` */
  primary: string;
  /** The epoch of its configuration. Every failover increases it. */
  epoch: number;
  /** It is promoting a replica. Writes to the old primary are lost from now on. */
  isPromoting: boolean;
  /** It sees no problem with the primary. */
  isCalm: boolean;
}

const POLL_MS = 250;
/** Poll faster while a Sentinel sees a problem. It sees one before it replaces the primary. */
const POLL_IN_TROUBLE_MS = 50;
const CONNECT_TIMEOUT_MS = 1_000;
/**
 * States of a failover in which the Sentinel has ordered the promotion. The replica may already be
 * the primary before the Sentinel knows it.
 */
const PROMOTING = new Set(['send_slaveof_noone', 'wait_promotion']);

/** The address of the primary. Undefined while there is none. */
export function primaryOf(opinions: readonly Opinion[]): string | undefined {
  if (opinions.some(({ isPromoting }) => isPromoting)) return undefined;
  return opinions.reduce((best, next) => (next.epoch > best.epoch ? next : best)).primary;
}

export interface SentinelOptions {
  sentinels: HostAndPort[];
  /** The name under which the Sentinels know the primary. */
  name: string;
  /** Opens a connection to ask a Sentinel, with a deadline for each command. */
  connect: (sentinel: HostAndPort) => Redis;
  logger: Logger;
}

/** While no Sentinel answers, the last known primary stays. */
export class SentinelTopology implements Topology {
  readonly #options: SentinelOptions;
  readonly #opinions = new Map<HostAndPort, Opinion>();
  readonly #notAsked: Set<HostAndPort>;
  readonly #listeners: Array<() => void> = [];
  readonly #polls: SentinelPoll[];
  #primary: string | undefined;
  #primaries: ReadonlySet<string> = new Set();
  #isClosed = false;

  constructor(options: SentinelOptions) {
    this.#options = options;
    this.#notAsked = new Set(options.sentinels);
    this.#polls = options.sentinels.map(
      (sentinel) =>
        new SentinelPoll({
          redis: options.connect(sentinel),
          name: options.name,
          onResult: (result) => this.#onResult(sentinel, result),
        }),
    );
  }

  get primaries(): ReadonlySet<string> {
    return this.#primaries;
  }

  get isCovered(): boolean {
    return this.#primary !== undefined;
  }

  ownerOf(): string | undefined {
    return this.#primary;
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  noteMoved(): void {}

  /** Nothing to do, because the Sentinels are polled continuously. */
  recheck(): void {}

  close(): void {
    this.#isClosed = true;
    for (const poll of this.#polls) poll.close();
  }

  #onResult(sentinel: HostAndPort, result: PollResult): void {
    if (this.#isClosed) return;
    if ('opinion' in result) {
      this.#opinions.set(sentinel, result.opinion);
    } else {
      this.#opinions.delete(sentinel);
      if (result.newReason !== undefined) {
        const fields = { sentinel: addressOf(sentinel), reason: result.newReason };
        this.#options.logger.warn(fields, 'a Sentinel does not name the primary');
      }
    }
    this.#notAsked.delete(sentinel);
    this.#decide();
  }

  #decide(): void {
    // At the start, wait for all Sentinels, because the slowest one may have the newest
    // configuration.
    if (this.#opinions.size === 0 || this.#notAsked.size > 0) return;
    const { logger } = this.#options;
    const next = primaryOf([...this.#opinions.values()]);
    if (next === this.#primary) return;
    if (next === undefined) logger.warn({ before: this.#primary }, 'no primary: Sentinels are promoting a replica');
    else logger.info({ primary: next }, 'Sentinels name the primary');
    this.#primary = next;
    this.#primaries = new Set(next === undefined ? [] : [next]);
    for (const listener of this.#listeners) listener();
  }
}

/** `newReason`: why the poll failed. Undefined if the previous poll failed for the same reason. */
type PollResult = { opinion: Opinion } | { newReason: string | undefined };

/** Polls one Sentinel continuously. */
class SentinelPoll {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #onResult: (result: PollResult) => void;
  #lastReason: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: { redis: Redis; name: string; onResult: (result: PollResult) => void }) {
    this.#redis = options.redis;
    this.#name = options.name;
    this.#onResult = options.onResult;
    void this.#poll();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#redis.disconnect();
  }

  async #poll(): Promise<void> {
    const result = await this.#ask();
    if (this.#isClosed) return;
    this.#onResult(result);
    if (this.#isClosed) return;
    const isInTrouble = 'opinion' in result && !result.opinion.isCalm;
    const pauseMs = isInTrouble ? POLL_IN_TROUBLE_MS : POLL_MS * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.#poll(), pauseMs);
  }

  async #ask(): Promise<PollResult> {
    try {
      if (!(await waitUntilReady(this.#redis, CONNECT_TIMEOUT_MS))) throw new Error('it cannot be reached');
      const opinion = await ask(this.#redis, this.#name);
      this.#lastReason = undefined;
      return { opinion };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const isNew = reason !== this.#lastReason;
      this.#lastReason = reason;
      return { newReason: isNew ? reason : undefined };
    }
  }
}

async function ask(redis: Redis, name: string): Promise<Opinion> {
  const answer = (await redis.call('SENTINEL', 'MASTER', name)) as string[];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < answer.length; i += 2) fields.set(answer[i] as string, answer[i + 1] as string);
  const state = fields.get('failover-state');
  // A Sentinel that leads a failover returns the old primary here until the failover is complete.
  // The second command returns the new primary as soon as it is promoted.
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

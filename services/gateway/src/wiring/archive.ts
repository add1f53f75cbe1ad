/**
 * The gateway's work for the archive in Redis: hints for the archiver, and trims that the archiver
 * requests.
 */
import type { RedisStore } from '@maru/redis-store';
import { type ArchiveHints, createArchiveHints } from '../archive/hints.ts';
import type { Ticker } from '../cluster/ticker.ts';
import type { GatewayConfig } from '../config.ts';
import type { Retention } from '../log/trim.ts';
import { trimQueued } from '../log/trim-queue.ts';

const TRIM_PERIOD_MS = 1_000;

export const retentionOf = (config: GatewayConfig): Retention => ({
  entriesMin: config.retentionEntriesMin,
  entriesMax: config.retentionEntriesMax,
  ageMs: config.retentionAgeMs,
  emptyRoomTtlMs: config.emptyRoomTtlMs,
  archive: config.postgresUrl !== undefined,
});

export interface ArchiveTasks {
  /** Does nothing if there is no archive. */
  note: ArchiveHints['note'];
  start(ticker: Ticker): void;
  stop(): Promise<void>;
}

export function createArchiveTasks(options: {
  config: GatewayConfig;
  store: RedisStore;
  storeNow: () => number;
  onHintFailed: () => void;
}): ArchiveTasks {
  const { config, store, storeNow, onHintFailed } = options;
  if (config.postgresUrl === undefined) return { note() {}, start() {}, stop: async () => {} };
  const hints = createArchiveHints({ store, storeNow, onFailed: onHintFailed });
  const retention = retentionOf(config);
  let leaveTicker: (() => void) | undefined;
  let trimming = false;
  const trim = () => {
    if (trimming) return;
    trimming = true;
    // A room that is skipped because of a failure is trimmed when it grows.
    trimQueued(store, retention)
      .catch(() => {})
      .finally(() => {
        trimming = false;
      });
  };
  return {
    note: hints.note,
    start(ticker) {
      leaveTicker = ticker.join(TRIM_PERIOD_MS, trim);
    },
    async stop() {
      leaveTicker?.();
      await hints.stop();
    },
  };
}

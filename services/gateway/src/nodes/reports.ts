/**
 * Reports of each node about itself every few seconds, for administrators. One hash in the store
 * has the last report of each node. This module does not know how the figures are measured.
 */
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { nodeReportsKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';

export const REPORT_PERIOD_MS = 5_000;
/** A node that has been silent for this long is not listed, and its report is removed. */
const SILENT_MS = 4 * REPORT_PERIOD_MS;

/** The figures of a node. Rates are means of the last report period. */
export interface NodeFigures {
  version: string;
  /** Seconds since the process started. */
  uptimeS: number;
  connections: number;
  /** Rooms with members on this node. */
  rooms: number;
  /** CPU time of the process as a fraction of one core. 1 is a full core. */
  cpu: number;
  /** The fraction of time in which the event loop was busy, from 0 to 1. */
  eventLoop: number;
  memoryBytes: number;
  /** Messages that clients sent through this node and that were stored. */
  messagesPerS: number;
  /** Entries delivered to connections. */
  deliveriesPerS: number;
  draining: boolean;
  /** The health of each dependency. `off` if it is not configured. */
  redis: Health;
  presence: Health;
  archive: Health;
}

export type Health = 'ok' | 'failing' | 'off';

/** `ts`: when the report was written, in milliseconds of the store's clock. */
export type NodeReport = NodeFigures & { node: string; ts: number };

export interface NodeReports {
  start(): void;
  /** Removes the report of this node. Never rejects. */
  stop(): Promise<void>;
  /** The reports of all living nodes, by name. Rejects `unavailable`. */
  all(): Promise<NodeReport[]>;
}

export function createNodeReports(options: {
  store: RedisStore;
  node: string;
  measure: () => Promise<NodeFigures>;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
  logger: Logger;
}): NodeReports {
  const { store, node, measure, storeNow, logger } = options;
  const key = nodeReportsKey();
  let timer: NodeJS.Timeout | undefined;

  const report = async (): Promise<void> => {
    const written: NodeReport = { node, ts: Math.floor(storeNow()), ...(await measure()) };
    await store.at(key, (redis) => redis.hset(key, node, JSON.stringify(written)));
  };
  // The console can wait. Store health is reported by its own check.
  const reportQuietly = (): void =>
    void report().catch((error: unknown) => logger.debug({ reason: String(error) }, 'the node was not reported'));

  return {
    start() {
      reportQuietly();
      timer = setInterval(reportQuietly, REPORT_PERIOD_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      await store
        .at(key, (redis) => redis.hdel(key, node))
        .catch((error: unknown) => logger.debug({ reason: String(error) }, 'the report of this node was not removed'));
    },
    async all() {
      try {
        const found = Object.entries(await store.at(key, (redis) => redis.hgetall(key)));
        const reports = found.map(([name, json]) => ({ name, report: toReport(json) }));
        const isSilent = (report: NodeReport | undefined) =>
          report === undefined || Math.abs(storeNow() - report.ts) > SILENT_MS;
        const silent = reports.filter(({ report }) => isSilent(report)).map(({ name }) => name);
        // Another process of the same name reports again within seconds.
        if (silent.length > 0) await store.at(key, (redis) => redis.hdel(key, ...silent));
        return reports
          .flatMap(({ report }) => (report === undefined || isSilent(report) ? [] : [report]))
          .sort((one, other) => (one.node < other.node ? -1 : 1));
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}

/** Undefined if no gateway of this release wrote it. */
function toReport(json: string): NodeReport | undefined {
  try {
    const report = JSON.parse(json) as NodeReport;
    return typeof report.node === 'string' && typeof report.ts === 'number' ? report : undefined;
  } catch {
    return undefined;
  }
}

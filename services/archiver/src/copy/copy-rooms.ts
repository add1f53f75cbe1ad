/**
 * Copies entries of claimed rooms: reads the archive's state, reads the hot logs, writes one
 * transaction, and marks the rooms. After a crash at any point, work is repeated but nothing is
 * lost, because the position of a room is part of the transaction.
 */
import type { BatchResult } from '@maru/archive-db';
import { concurrently, type Logger } from '@maru/service-kit';
import type { KnownRoom, RoomArchive, RoomBatch } from '../archive/room-archive.ts';
import type { ArchiverMetrics } from '../metrics.ts';
import { BOUNDS } from '../settings.ts';
import type { HotLog, RoomStore } from '../store/room-store.ts';
import { lastCommon } from './divergence.ts';
import { commonAtMost, gapOf, type Plan, planOf } from './plan.ts';

/** `since`: the time of the newest copied entry, if entries are left. */
export type Outcome = { is: 'done' } | { is: 'more'; since: number | undefined };

export interface CopyOptions {
  store: RoomStore;
  archive: RoomArchive;
  metrics: ArchiverMetrics;
  logger: Logger;
  /** Gateways then trim the logs of these rooms. */
  askForTrim: (rooms: readonly string[]) => Promise<void>;
}

interface Looked {
  room: string;
  known: KnownRoom | undefined;
  hot: HotLog;
  plan: Plan;
}

const DONE: Outcome = { is: 'done' };
const MORE: Outcome = { is: 'more', since: undefined };
/** A room with this many new entries may have grown beyond its limits. */
const TRIM_ENTRIES = 64;

/** Rooms that are missing in the result did not fit into the transaction. */
export async function copyRooms(rooms: readonly string[], options: CopyOptions): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const batches = new Map<string, RoomBatch>();
  const looked = await readRooms(rooms, outcomes, options);
  for (const one of looked) {
    const next = await prepare(one, options);
    if ('is' in next) outcomes.set(one.room, next);
    else batches.set(one.room, next);
  }
  const results = await writeBatches([...batches.values()], options);
  const appended = looked.filter(({ room }) => batches.has(room));
  await concurrently(appended, BOUNDS.readConcurrency, async (one) => {
    outcomes.set(one.room, await finish(one, results.get(one.room), options));
  });
  const grown = [...results].filter(([, { added }]) => added >= TRIM_ENTRIES);
  await options.askForTrim(grown.map(([room]) => room));
  return outcomes;
}

/** Reads rooms until a transaction is full, and at least one room. */
async function readRooms(
  rooms: readonly string[],
  outcomes: Map<string, Outcome>,
  { store, archive }: CopyOptions,
): Promise<Looked[]> {
  // First, so that a room which another archiver moves is noticed.
  const known = await archive.look(rooms);
  const looked: Looked[] = [];
  let entries = 0;
  let bytes = 0;
  const bounds = { entriesMax: BOUNDS.batchEntriesMax, bytesMax: BOUNDS.batchBytesMax };
  for (let start = 0; start < rooms.length; start += BOUNDS.readConcurrency) {
    if (entries >= BOUNDS.transactionEntriesMax || bytes >= BOUNDS.transactionBytesMax) break;
    const part = rooms.slice(start, start + BOUNDS.readConcurrency);
    const hots = await Promise.all(part.map((room) => store.read(room, known.get(room)?.position ?? 0, bounds)));
    for (const [index, room] of part.entries()) {
      const hot = hots[index];
      if (hot === undefined) {
        outcomes.set(room, DONE);
        continue;
      }
      const plan = planOf(known.get(room), hot);
      looked.push({ room, known: known.get(room), hot, plan });
      // A rollback moves as many as fit.
      entries += plan.do === 'roll back' ? BOUNDS.transactionEntriesMax : hot.entries.length;
      bytes += hot.bytes;
    }
  }
  return looked;
}

/** The batch to write, or the outcome if there is none. */
async function prepare(looked: Looked, options: CopyOptions): Promise<RoomBatch | Outcome> {
  const { room, known, hot, plan } = looked;
  const { archive, metrics, logger } = options;
  const batch: RoomBatch = {
    ...{ room, seen: known?.epoch, epoch: hot.epoch, base: hot.base, hotFirst: hot.first },
    ...{ private: hot.private, cleared: hot.cleared, entries: hot.entries },
  };
  switch (plan.do) {
    case 'nothing':
      return DONE;
    case 'clear':
      // The batch then removes the rest. A large room would not fit into its transaction.
      if (!(await archive.removeSome(room, known?.epoch ?? '', BOUNDS.removedRowsMax))) return MORE;
      return { ...batch, entries: [] };
    case 'roll back':
      return known === undefined ? MORE : { ...batch, base: await commonOf(room, known, hot, options), entries: [] };
    case 'wait':
      metrics.staleRooms.inc();
      logger.error(
        { room, epoch: hot.epoch, head: hot.head, archivedEpoch: known?.epoch, position: known?.position },
        'the hot log of a room contradicts the archive; run new-epochs if the store was restored',
      );
      return DONE;
    case 'append':
      return hot.entries.length > 0 || !isNoted(known, hot) ? batch : DONE;
  }
}

/** The archive and the room note the same. */
const isNoted = (known: KnownRoom | undefined, hot: HotLog): boolean =>
  known !== undefined &&
  known.epoch === hot.epoch &&
  known.cleared >= hot.cleared &&
  known.position === hot.archived &&
  known.first === hot.archivedFrom;

const commonOf = (room: string, known: KnownRoom, hot: HotLog, { store, archive }: CopyOptions): Promise<number> =>
  lastCommon(Math.max(hot.first, known.first) - 1, commonAtMost(known, hot), async (seq) => {
    const nothing = { entriesMax: 0, bytesMax: 0 };
    const [log, archivedTs] = await Promise.all([store.read(room, seq, nothing), archive.timeOf(room, seq)]);
    return log?.afterTs !== undefined && log.afterTs === archivedTs;
  });

async function writeBatches(
  batches: readonly RoomBatch[],
  { archive, metrics }: CopyOptions,
): Promise<Map<string, BatchResult>> {
  if (batches.length === 0) return new Map();
  const stopTimer = metrics.transactionSeconds.startTimer();
  const results = await archive.write(batches);
  stopTimer();
  for (const { added } of results.values()) metrics.entries.inc(added);
  return results;
}

/** Tells operators what is unusual, and marks the room. */
async function finish(
  { room, known, hot, plan }: Looked,
  result: BatchResult | undefined,
  { store, metrics, logger }: CopyOptions,
): Promise<Outcome> {
  if (result === undefined || result.outcome === 'changed') return MORE;
  const { position, first: archivedFrom } = result;
  if (plan.do === 'clear') {
    metrics.deletedRooms.inc();
    logger.info({ room }, 'a deleted room left the archive');
  }
  metrics.setAside.inc(result.setAside);
  if (result.outcome === 'rolling back') return MORE;
  if (plan.do === 'roll back') {
    metrics.rollbacks.inc();
    const facts = { room, epoch: hot.epoch, from: known?.position, to: position, entries: result.setAside };
    logger.warn(facts, 'the hot log was rolled back; entries of the archive were set aside');
  }
  const gap = plan.do === 'append' && result.added > 0 ? gapOf(known, hot) : 0;
  if (gap > 0) {
    metrics.gapEntries.inc(gap);
    const facts = { room, after: known?.position ?? 0, next: hot.first, entries: gap };
    logger.error(facts, 'entries are in neither the hot log nor the archive');
  }
  if (hot.deleted) return DONE;
  const mark = { epoch: hot.epoch, position, archivedFrom, hotFirst: hot.first };
  // The room noted this before the transaction, so the archive had it once.
  const isRestored = hot.archived !== undefined && hot.archived > position;
  await store.mark(room, { ...mark, restoredFrom: isRestored ? hot.archived : undefined });
  return position >= hot.head ? DONE : { is: 'more', since: hot.entries.at(-1)?.ts };
}

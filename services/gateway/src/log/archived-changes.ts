/**
 * Changes of messages that have left the hot log. The archive provides the facts about the message
 * that the hot log needs. The hot log decides and stores the change. No other change can come in
 * between: the hot log compares the newest change of the message with the one in the facts.
 */
import type { ArchiveOptions } from './archived-entries.ts';
import { type ArchivedEntry, archiveUnavailable, type PageQuery } from './history-store.ts';
import { type HotChangeResult, type MessageFacts, PAGE_BYTES_MAX } from './hot-log.ts';
import type { ChangeRequest, ChangeResult, RoomLog } from './room-log.ts';

/** Each further attempt means that another user has changed the same message. */
const ATTEMPTS_MAX = 5;

const NO_MESSAGE: ChangeResult = { outcome: 'not_found', what: 'message' };

const isDecided = (result: HotChangeResult): result is ChangeResult =>
  result.outcome !== 'archived' && result.outcome !== 'retry';

export function createChange(options: ArchiveOptions): RoomLog['change'] {
  const { log, deadlineMs, now } = options;
  return async (request) => {
    let result = await log.changeArchived(request, 'ask');
    const endsAt = now() + deadlineMs;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (isDecided(result)) return result;
      const facts = await readFacts(options, request, endsAt);
      if (facts === undefined) return NO_MESSAGE;
      if (facts !== 'moved') result = await log.changeArchived(request, facts);
    }
    if (isDecided(result)) return result;
    throw archiveUnavailable(new Error('the message changes too fast'));
  };
}

/** `moved`: read again. Undefined: the archive has no such message. */
async function readFacts(
  { log, history, now }: ArchiveOptions,
  request: ChangeRequest,
  endsAt: number,
): Promise<MessageFacts | 'moved' | undefined> {
  const { room, userId, change } = request;
  const seq = change.type === 'send' ? (change.thread ?? 0) : change.seq;
  const query: PageQuery = {
    ...{ room, reader: userId, of: { kind: 'seqs', seqs: [seq] }, center: { seq }, older: 1, newer: 0, below: seq + 1 },
    bytesMax: PAGE_BYTES_MAX,
  };
  const { epoch, archived: atLeast } = await log.readHot(room, 'node', { mode: 'none' });
  let page = await history.readPage(query, { epoch, atLeast, deadlineMs: endsAt - now() });
  const state = await log.readLate(room, seq, page.position);
  if (state.epoch !== epoch || state.first > page.position + 1) return 'moved';
  if (state.late === undefined) throw archiveUnavailable(new Error('the archive lacks too many changes'));
  if (state.late.length > 0) {
    // A replica that is behind the first one would lack the changes between the two.
    const again = { epoch, atLeast: page.position, changes: state.late, deadlineMs: endsAt - now() };
    page = await history.readPage(query, again);
  }
  const row = page.older.entries[0];
  return row?.state && factsOf(row, row.state, change, state.newest);
}

function factsOf(
  { author, tail, mine }: ArchivedEntry,
  state: NonNullable<ArchivedEntry['state']>,
  change: ChangeRequest['change'],
  expected: string,
): MessageFacts {
  const { reactions } = state;
  const emoji = change.type === 'react' ? change.emoji : '';
  const { mentions = [] } = JSON.parse(`{${state.tail ?? tail}}`) as { mentions?: string[] };
  return {
    ...{ expected, author, thread: state.thread, deleted: state.deleted !== undefined, edits: state.edits, mentions },
    emoji: reactions.length,
    hasEmoji: reactions.some((one) => one.emoji === emoji),
    active: mine.includes(emoji),
    pinned: state.pinned,
  };
}

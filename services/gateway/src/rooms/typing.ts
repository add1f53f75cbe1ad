/** Typing: an ephemeral event. Its check is cheap, and repetitions are limited to one a second. */
import type { RequestOf, UserRef } from '@maru/protocol';
import type { Ephemeral } from '../edge/ephemeral.ts';
import type { RoomLog } from '../log/room-log.ts';

const REPEAT_MS = 1_000;

interface Last {
  room: string;
  active: boolean;
  thread: number | undefined;
  atMs: number;
}

/** A connection, or a call over HTTP, which has no id. */
export interface Typist {
  readonly id?: string;
  readonly user: UserRef;
  readonly subscriptions: Pick<ReadonlyMap<string, unknown>, 'has'>;
}

export type Typing = (typist: Typist, request: RequestOf<'typing'>) => Promise<void>;

export function createTyping(options: { log: RoomLog; ephemeral: Ephemeral; now: () => number }): Typing {
  /** The last event of each connection. Freed with the typist. */
  const last = new WeakMap<Typist, Last>();
  return async (typist, { room, active, thread }) => {
    // A connection that has joined may type. Otherwise the store is asked, because the room may be
    // hidden.
    if (!typist.subscriptions.has(room)) await options.log.read(room, { userId: typist.user.id }, { mode: 'none' });
    const before = last.get(typist);
    const nowMs = options.now();
    const isSame = before?.room === room && before.active === active && before.thread === thread;
    if (isSame && nowMs - before.atMs < REPEAT_MS) return;
    last.set(typist, { room, active, thread, atMs: nowMs });
    const where = thread === undefined ? { room } : { room, thread };
    options.ephemeral.typing({ ...where, user: typist.user, active }, typist.id);
  };
}

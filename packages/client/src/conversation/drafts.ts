/**
 * Unfinished texts of the user in all rooms. They are saved to the host's storage soon after each
 * change, and when the page is hidden.
 */
import type { ErrorBody } from '@maru/protocol/errors';
import type { Entry } from '@maru/protocol/events';
import { changeOf } from '../acts.ts';
import { type KeptItems, type KeptText, keptItems } from '../kept.ts';
import type { ClientLogger } from '../logger.ts';
import type { MessageAct } from '../outgoing.ts';
import { onPageHide } from '../page-hide.ts';
import type { Scheduler } from '../scheduler.ts';
import { isRoomId } from '../text.ts';
import type { DraftOf, Watched } from './types.ts';

/** Beyond this size, the oldest drafts are dropped from storage. Two bytes for each UTF-16 unit. */
export const DRAFTS_BYTES_MAX = 512 * 1024;
const SAVE_AFTER_MS = 400;

interface Draft {
  readonly room: string;
  readonly of: DraftOf;
  readonly text: string;
  /** Wall clock. It decides the order of the texts of two tabs. */
  readonly changedAtMs: number;
}

const keyOf = (room: string, of: DraftOf): string => `${room} ${of === 'room' ? of : JSON.stringify(of)}`;
const bytesOf = ({ room, text }: Draft): number => 2 * (room.length + text.length + 50);

export interface DraftsOptions {
  place: KeptText | null;
  scheduler: Scheduler;
  logger: ClientLogger;
}

export class Drafts {
  readonly #scheduler: Scheduler;
  readonly #kept: KeptItems;
  readonly #drafts = new Map<string, Draft>();
  readonly #listeners = new Set<() => void>();
  readonly #takenListeners = new Set<() => void>();
  readonly #stops: Array<() => void>;
  #rooms: ReadonlySet<string> = new Set();
  #cancelSave: (() => void) | null = null;

  constructor({ place, scheduler, logger }: DraftsOptions) {
    this.#scheduler = scheduler;
    this.#kept = keptItems({ place, what: 'drafts', logger });
    this.#merge(this.#kept.load());
    const stopTaking = this.#kept.watchLeft((items) => {
      this.#merge(items);
      for (const listener of [...this.#takenListeners]) listener();
      return this.#save();
    });
    this.#stops = [stopTaking, onPageHide(() => this.flush())];
  }

  /** Rooms with a draft. The same set until a room is added or removed. */
  readonly rooms: Watched<ReadonlySet<string>> = {
    get: () => this.#rooms,
    subscribe: (listener) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    },
  };

  /** Called when texts of another tab were added. Returns a function that removes the listener. */
  onTaken(listener: () => void): () => void {
    this.#takenListeners.add(listener);
    return () => void this.#takenListeners.delete(listener);
  }

  get(room: string, of: DraftOf): string {
    return this.#drafts.get(keyOf(room, of))?.text ?? '';
  }

  set(room: string, of: DraftOf, text: string): void {
    const key = keyOf(room, of);
    if (text === this.get(room, of)) return;
    if (text.trim() === '') this.#drafts.delete(key);
    else this.#drafts.set(key, { room, of, text, changedAtMs: this.#scheduler.wallNow() });
    this.#cancelSave ??= this.#scheduler.after(SAVE_AFTER_MS, () => this.#save());
    this.#noteRooms();
  }

  /** A refused edit is not lost: it is a draft again, unless its author began another one. */
  keepRefused(room: string, act: MessageAct, { code }: ErrorBody): void {
    if (act.type !== 'edit' || code === 'not_found') return;
    if (this.get(room, { edit: act.seq }) === '') this.set(room, { edit: act.seq }, act.text);
  }

  /** The draft of an edit may have the deleted text. */
  forgetDeleted(room: string, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const change = changeOf(entry);
      if (change?.type === 'message.delete') this.set(room, { edit: change.seq }, '');
      if (entry.deleted !== undefined) this.set(room, { edit: entry.seq }, '');
    }
  }

  /** Saves pending changes now. */
  flush(): void {
    if (this.#cancelSave !== null) this.#save();
  }

  close(): void {
    this.flush();
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
  }

  #merge(items: readonly unknown[]): void {
    for (const draft of items.flatMap(draftOf)) {
      const key = keyOf(draft.room, draft.of);
      const known = this.#drafts.get(key);
      this.#drafts.set(key, known === undefined ? draft : joined(known, draft));
    }
    this.#noteRooms();
  }

  #save(): boolean {
    this.#cancelSave?.();
    this.#cancelSave = null;
    let bytes = 0;
    const newestFirst = [...this.#drafts.values()].sort((a, b) => b.changedAtMs - a.changedAtMs);
    const fitting = newestFirst.filter((draft) => {
      bytes += bytesOf(draft);
      return bytes <= DRAFTS_BYTES_MAX;
    });
    return this.#kept.save(fitting.map(({ room, of, text, changedAtMs }) => [room, of, text, changedAtMs]));
  }

  #noteRooms(): void {
    const rooms = new Set([...this.#drafts.values()].map(({ room }) => room));
    if (rooms.size === this.#rooms.size && [...rooms].every((room) => this.#rooms.has(room))) return;
    this.#rooms = rooms;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Two tabs wrote in one place: both texts stay, the older one first. */
function joined(one: Draft, other: Draft): Draft {
  const [older, newer] = one.changedAtMs < other.changedAtMs ? [one, other] : [other, one];
  if (hasLines(newer.text, older.text)) return newer;
  const text = hasLines(older.text, newer.text) ? older.text : `${older.text}\n${newer.text}`;
  return { ...newer, text };
}

const hasLines = (text: string, lines: string): boolean => `\n${text}\n`.includes(`\n${lines}\n`);

function draftOf(item: unknown): Draft[] {
  if (!Array.isArray(item)) return [];
  const [room, of, text, changedAtMs] = item as unknown[];
  const isDraft = typeof room === 'string' && isRoomId(room) && typeof text === 'string' && text.trim() !== '';
  if (!isDraft || typeof changedAtMs !== 'number' || !isDraftOf(of)) return [];
  return [{ room, of, text, changedAtMs }];
}

function isDraftOf(of: unknown): of is DraftOf {
  if (of === 'room') return true;
  const [[kind, seq] = [], ...others] = typeof of === 'object' && of !== null ? Object.entries(of) : [];
  return (kind === 'thread' || kind === 'edit') && Number.isSafeInteger(seq) && others.length === 0;
}

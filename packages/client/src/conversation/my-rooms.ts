/** Reads the user's room list on each connection, and keeps it up to date in between. */
import { MaruError } from '@maru/protocol/errors';
import type { MyRoom, Notify } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import { type BackoffBounds, backoffMs } from '../backoff.ts';
import type { ChatClient } from '../chat-client.ts';
import { hasSession } from '../connection-state.ts';
import type { ClientEvents } from '../events.ts';
import type { Scheduler } from '../scheduler.ts';
import { noteEntries, noteInbox, notePosition, noteRead, type RoomList } from './room-list.ts';
import type { MyRooms, MyRoomsView } from './types.ts';

/** Of readings. The client has sent the request of each four times. */
const READ_BACKOFF: BackoffBounds = { baseMs: 4_000, capMs: 60_000 };

/** Its methods are bound, so hosts can pass them on as functions. */
export class ClientRooms implements MyRooms {
  readonly #client: ChatClient;
  readonly #scheduler: Scheduler;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: Array<() => void>;
  #list: RoomList = new Map();
  #isReady = false;
  /** The read in progress. A later one replaces it. */
  #reading: object | null = null;
  /** Readings in a row that failed on this connection. */
  #failed = 0;
  #cancelRetry = () => {};
  /** Rooms whose counts are being read. */
  readonly #counting = new Set<string>();
  /** Listed rooms that ended for the user. No event says when the user may enter them again. */
  readonly #ended = new Set<string>();
  #view: MyRoomsView | null = null;

  constructor(client: ChatClient, scheduler: Scheduler) {
    this.#client = client;
    this.#scheduler = scheduler;
    this.#unsubscribe = [
      client.on('session', () => {
        this.#noteFailed(0);
        this.refresh();
      }),
      client.on('notice', ({ code }) => {
        if (code === 'recovered' && this.#failed > 0) this.refresh();
      }),
      client.on('entries', ({ room, entries }) =>
        this.#set(noteEntries(this.#list, room, entries, client.user?.id ?? '')),
      ),
      client.on('inbox', (event) => {
        const next = noteInbox(this.#list, event);
        if (next === 'unknown') this.refresh();
        else this.#set(next);
      }),
      client.on('room', (event) => this.#onRoom(event)),
    ];
    if (client.user !== null) this.refresh();
  }

  readonly get = (): MyRoomsView => {
    this.#view ??= viewOf(this.#list, this.#isReady, this.#failed > 0);
    return this.#view;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly room = (room: string): MyRoom | null => this.#list.get(room)?.room ?? null;

  readonly follow = async (room: string, notify?: Notify): Promise<void> => {
    await this.#client.request('room:follow', { room, active: true, ...(notify === undefined ? {} : { notify }) });
    this.refresh();
  };

  readonly unfollow = async (room: string): Promise<void> => {
    await this.#client.request('room:follow', { room, active: false });
    this.refresh();
  };

  readonly markRead = async (room: string): Promise<void> => {
    const known = this.#list.get(room);
    if (known === undefined) return;
    const data = await this.#client.request('room:read', { room, seq: known.room.head });
    this.#set(notePosition(this.#list, room, data));
  };

  readonly markAllRead = async (): Promise<void> => {
    const waiting = [...this.#list.values()].filter(({ room }) => room.unread > 0 || room.mentions > 0);
    const failures: unknown[] = [];
    // One by one, because a list may have thousands of rooms.
    for (const { room } of waiting) await this.markRead(room.room).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };

  readonly refresh = (): void => {
    const reading = {};
    const isCurrent = () => this.#reading === reading;
    this.#reading = reading;
    this.#cancelRetry();
    this.#readAll(isCurrent).then(
      () => isCurrent() && this.#noteFailed(0),
      (error: unknown) => isCurrent() && this.#retryLater(error),
    );
  };

  close(): void {
    this.#reading = null;
    this.#cancelRetry();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#listeners.clear();
  }

  #retryLater(error: unknown): void {
    // The next connection reads the list anew.
    if (!hasSession(this.#client.connection)) {
      this.#noteFailed(0);
      return;
    }
    const atLeastMs = error instanceof MaruError ? error.retryAfterMs : undefined;
    const random = this.#scheduler.random();
    const delayMs = backoffMs({ attempt: this.#failed, random, bounds: READ_BACKOFF, atLeastMs });
    this.#cancelRetry = this.#scheduler.after(delayMs, this.refresh);
    this.#noteFailed(this.#failed + 1);
  }

  #noteFailed(failed: number): void {
    const isNews = failed > 0 !== this.#failed > 0;
    this.#failed = failed;
    if (isNews) this.#changed();
  }

  /** No inbox event tells of a public room that was closed or deleted, or banned the user. */
  #onRoom({ room, status }: ClientEvents['room']): void {
    if (status === 'joining') return;
    if (status === 'joined' ? !this.#ended.delete(room) : !this.#list.has(room)) return;
    if (status !== 'joined') this.#ended.add(room);
    this.refresh();
  }

  async #readAll(isCurrent: () => boolean): Promise<void> {
    const before = new Set(this.#list.keys());
    let cursor: string | undefined;
    do {
      const page = { limit: LIMITS.pageEntriesMax, ...(cursor === undefined ? {} : { cursor }) };
      const data = await this.#client.request('rooms:mine', page);
      if (!isCurrent()) return;
      for (const { room } of data.rooms) before.delete(room);
      this.#set(noteRead(this.#list, data.rooms));
      cursor = data.cursor;
    } while (cursor !== undefined);
    // Rooms that were in the list before but are on no page are no longer in it.
    this.#isReady = true;
    this.#set(new Map([...this.#list].filter(([room]) => !before.has(room))));
  }

  #set(next: RoomList): void {
    if (next === this.#list) return;
    this.#list = next;
    for (const [room, { isStale }] of next) if (isStale) this.#count(room);
    this.#changed();
  }

  #changed(): void {
    this.#view = null;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Position 0 changes nothing. The answer contains the counts. */
  #count(room: string): void {
    if (this.#counting.has(room)) return;
    this.#counting.add(room);
    this.#client.request('room:read', { room, seq: 0 }).then(
      (data) => {
        this.#counting.delete(room);
        this.#set(notePosition(this.#list, room, data));
      },
      // On an error, the next connection reads the list again.
      () => void this.#counting.delete(room),
    );
  }
}

const timeOf = ({ last }: MyRoom): number => last?.ts ?? 0;

function viewOf(list: RoomList, isReady: boolean, hasFailed: boolean): MyRoomsView {
  const rooms = [...list.values()].map(({ room }) => room).sort((a, b) => timeOf(b) - timeOf(a));
  const loud = rooms.filter(({ notify }) => notify !== 'none');
  const sum = (of: (room: MyRoom) => number) => loud.reduce((total, room) => total + of(room), 0);
  return { isReady, hasFailed, rooms, unread: sum(({ unread }) => unread), mentions: sum(({ mentions }) => mentions) };
}

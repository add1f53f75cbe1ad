/** Events that users of the fake server get on all their connections: inbox events and receipts. */
import type { Entry, InboxEvent, Notify, ReadData, Reader, UserRef } from '@maru/protocol/events';
import type { Server, Socket } from 'socket.io';
import { accepted, fakeError, type Payload, refused } from './answers.ts';
import { readRooms } from './fake-acts.ts';
import type { FakeRoom } from './fake-room.ts';
import type { FaultSwitches } from './fault-switches.ts';

const MENTION_ROOM = '@room';

type Ack = (answer: object) => void;
type Listen = (event: string, handle: (payload: Payload, room: FakeRoom, ack: Ack) => void) => void;

const directRoomId = (one: string, other: string): string =>
  `d-${[one, other].sort().join('.')}`.toLowerCase().replace(/[^a-z0-9._-]/g, '_');

export class FakeInbox {
  readonly #io: Server;
  readonly #rooms: { room(id: string): FakeRoom; all(): FakeRoom[] };
  /** The two members of each direct room. */
  readonly #pairs = new Map<string, [string, string]>();

  /** The notification rule of each user and room. */
  readonly #rules = new Map<string, Notify>();

  constructor(io: Server, rooms: { room(id: string): FakeRoom; all(): FakeRoom[] }) {
    this.#io = io;
    this.#rooms = rooms;
  }

  listen(socket: Socket, listen: Listen, faults: Pick<FaultSwitches, 'refuseRoomLists'>): void {
    const { user } = socket.data as { user: UserRef };
    listen('room:read', ({ seq }, room, ack) => {
      const data = room.read(user.id, Number(seq));
      ack(accepted(data));
      if (Number(seq) > 0) this.#onRead(room, user, data);
    });
    listen('room:readers', (_payload, room, ack) => ack(accepted({ readers: room.conversation.readers })));
    listen('room:follow', ({ notify = 'all' }, room, ack) => {
      this.#rules.set(`${user.id} ${room.id}`, notify as Notify);
      ack(accepted({}));
    });
    socket.on('room:create', ({ user: other }: { user: string }, ack: Ack) => ack(this.#openDirect(user.id, other)));
    socket.on('rooms:mine', (_payload: unknown, ack: Ack) => {
      if (faults.refuseRoomLists) {
        ack(refused(fakeError('unavailable')));
        return;
      }
      const rooms = this.#rooms.all().filter(({ id }) => this.#pairs.get(id)?.includes(user.id) !== false);
      ack(readRooms(rooms, user.id, (room) => this.#listed(room, user.id)));
    });
  }

  #listed(room: string, user: string): object {
    const other = this.#pairs.get(room)?.find((id) => id !== user);
    const notify = this.#rules.get(`${user} ${room}`) ?? 'all';
    return { notify, ...(other === undefined ? {} : { visibility: 'direct', with: other }) };
  }

  /** Both users get the same room. */
  #openDirect(user: string, other: string): object {
    const room = directRoomId(user, other);
    this.#pairs.set(room, [user, other]);
    this.#rooms.room(room);
    return accepted({ room, title: '', visibility: 'direct', role: 'member' });
  }

  /** Notifies users outside the room whom a new message concerns. */
  onStored({ id, users }: FakeRoom, entry: Entry): void {
    if (entry.type !== 'text') return;
    const { seq, ts, n, from, text = '', mentions = [] } = entry;
    const news = { room: id, seq, ts, n, from, text };
    this.#tell(this.#pairs.get(id) ?? [], { type: 'message', ...news });
    const all = mentions.includes(MENTION_ROOM) ? users.map((user) => user.id) : mentions;
    this.#tell(
      all.filter((user) => user !== from.id),
      { type: 'mention', ...news },
    );
  }

  #onRead(room: FakeRoom, { id: user }: UserRef, data: ReadData): void {
    this.#tell([user], { type: 'read', room: room.id, ...data });
    const readers: Reader[] = [{ user, seq: data.seq }];
    room.emit('receipt', { room: room.id, readers });
  }

  #tell(users: readonly string[], event: InboxEvent): void {
    for (const socket of this.#io.of('/').sockets.values())
      if (users.includes(socket.data.user.id)) socket.emit('inbox', event);
  }
}

/**
 * A chat server in one process and in memory, on the standard Socket.IO server. It implements the
 * public contract as far as clients and load tests use it. Tests break it in two ways: `faults` are
 * switches for tests of a client, and a planted fault breaks one promise once, for tests of the
 * checker. It shares no code with the gateway and none with the kit's codec, so neither can hide
 * the other's errors.
 */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Entry, LIMITS, type Position, type ResumedRoom, type UserRef } from '@maru/protocol';
import { Server, type Socket } from 'socket.io';
import { accepted, connectRefusal, fakeError, type Payload, readHistory, refused, renewal, stored } from './answers.ts';
import { ACTS, actOn, readMessages } from './fake-acts.ts';
import { answerHttp } from './fake-http.ts';
import { FakeInbox } from './fake-inbox.ts';
import { FakePresence } from './fake-presence.ts';
import { resume } from './fake-resume.ts';
import { FakeRoom } from './fake-room.ts';
import { type SearchPayload, search } from './fake-search.ts';
import { noFaults } from './fault-switches.ts';
import { isResumeFault, type PlantedFault, RoomFault, whenEnoughMissed } from './planted-faults.ts';

type Ack = (answer: object) => void;

/** Clients may not join it. */
const HIDDEN_ROOM = 'p-hidden';
/** A token is the user's id. */
export async function startFakeServer(planted: PlantedFault = 'none'): Promise<FakeServer> {
  const http = createServer();
  const server = new FakeServer(http, planted);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return server;
}

export class FakeServer {
  readonly faults = noFaults();
  readonly presence = new FakePresence();
  /** Each handshake's `auth.resume`, in order. */
  readonly resumes: Array<Record<string, Position>> = [];
  /** Answered requests to renew a token. */
  renewals = 0;
  /** Called before each request is answered. */
  onRequest: ((event: string, payload: Payload) => void) | null = null;
  /** How often Prometheus remote write was used, at `/api/v1/write`. */
  remoteWrites = 0;
  readonly #http: HttpServer;
  readonly #io: Server;
  readonly #inbox: FakeInbox;
  readonly #planted: PlantedFault;
  readonly #rooms = new Map<string, FakeRoom>();
  #guests = 0;
  #epochs = 0;

  constructor(http: HttpServer, planted: PlantedFault) {
    this.#http = http;
    this.#planted = planted;
    http.on('request', (request, response) => {
      const newGuest = () => `guest-${++this.#guests}`;
      answerHttp(request, response, { newGuest, onRemoteWrite: () => this.remoteWrites++ });
    });
    this.#io = new Server(http, { serveClient: false });
    this.#inbox = new FakeInbox(this.#io, { room: (id) => this.#room(id), all: () => [...this.#rooms.values()] });
    this.#io.use((socket, next) => this.#authenticate(socket, next));
    this.#io.on('connection', (socket) => this.#onConnection(socket));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  log(room: string): readonly Entry[] {
    return this.#room(room).entries;
  }

  /** Stores an entry as if a user had sent it through another node. */
  post(room: string, from: UserRef, text: string, more: Partial<Entry> = {}): Entry {
    const target = this.#room(room);
    const entry = target.newEntry(from, `srv-${target.head}`, text, more);
    this.#append(target, entry, 'none');
    return entry;
  }

  /** Stores an act as an entry. An act on a room or a member has no effect. */
  postAct(room: string, from: UserRef, type: string, data: object): void {
    const target = this.#room(room);
    this.#append(target, target.newAct(from, `srv-${target.head}`, type, { data }), 'none');
  }

  /** Simulates that a user starts or stops typing on another node. */
  type(room: string, user: UserRef, active: boolean): void {
    this.#room(room).emit('typing', { room, user, active });
  }

  /** Closes every transport, like the crash of a node. */
  cutAll(): void {
    for (const socket of this.#io.of('/').sockets.values()) socket.conn.close();
  }

  notice(notice: { code: string; reconnectInMs?: number; text?: string }): void {
    this.#io.emit('notice', notice);
  }

  /** Sends DISCONNECT to all clients: they must not reconnect. */
  dismissAll(code: 'revoked' | 'expiring'): void {
    this.#io.emit('notice', { code });
    this.#io.disconnectSockets();
  }

  rollBack(room: string, head: number): void {
    const target = this.#room(room);
    target.rollBack(head, this.#newEpoch());
    target.emit('room:event', { type: 'epoch', room, epoch: target.epoch, head: target.head });
  }

  removeAll(room: string, reason: string): void {
    this.#room(room).emit('room:event', { type: 'removed', room, reason });
    this.#room(room).members = [];
  }

  connections(): number {
    return this.#io.of('/').sockets.size;
  }

  async close(): Promise<void> {
    const closed = this.#io.close();
    this.#http.closeAllConnections();
    await closed;
  }

  #newEpoch(): string {
    return `e${++this.#epochs}`;
  }

  #room(id: string): FakeRoom {
    const known = this.#rooms.get(id);
    if (known !== undefined) return known;
    const room = new FakeRoom(id, this.#newEpoch(), new RoomFault(this.#planted));
    this.#rooms.set(id, room);
    return room;
  }

  #authenticate(socket: Socket, next: (error?: Error) => void): void {
    const { token } = socket.handshake.auth;
    const refusal = connectRefusal(this.#planted === 'connect_refused' ? '' : token, this.faults);
    if (refusal !== null) {
      next(Object.assign(new Error('refused'), { data: refusal }));
      return;
    }
    socket.data.user = { id: token, name: decodeURIComponent(token) };
    const waits = () =>
      Object.entries(positionsOf(socket)).some(([id, { seq }]) => {
        const room = this.#room(id);
        return room.fault.waitsForMore(seq, room.head);
      });
    void whenEnoughMissed(waits).then(() => next());
  }

  #onConnection(socket: Socket): void {
    const positions = positionsOf(socket);
    this.resumes.push(positions);
    const rooms: Record<string, ResumedRoom> = {};
    const missed: Entry[] = [];
    for (const [id, since] of Object.entries(positions)) {
      const room = this.#room(id);
      room.add(socket);
      const resumed = resume(room, this.faults.resumeEntriesMax, since);
      if (resumed.answer !== undefined) rooms[id] = resumed.answer;
      missed.push(...resumed.missed);
    }
    const { user } = socket.data;
    const session = { user: { ...user, roles: [] }, sessionId: socket.id, limits: {}, rooms };
    socket.emit('session', { ...session, features: this.faults.features });
    const isLost = missed.length > 0 && this.faults.loseMissed-- > 0;
    if (!isLost) for (const entry of missed) socket.emit('message', entry);
    for (const id of Object.keys(positions)) this.presence.announce(this.#room(id), [user], []);
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    const { user } = socket.data as { user: UserRef };
    const listen = (event: string, handle: (payload: Payload, room: FakeRoom, ack: Ack) => void) =>
      socket.on(event, (payload: Payload, ack: Ack) => {
        this.onRequest?.(event, payload);
        handle(payload, this.#room(payload.room), ack);
      });
    socket.on('auth:renew', (_payload: unknown, ack: Ack) => {
      ack(renewal(this.faults.refuseRenewal));
      this.renewals += 1;
    });
    listen('room:join', (payload, room, ack) => {
      ack(this.#join(payload, room, user));
      if (room.id === HIDDEN_ROOM) return;
      room.add(socket);
      this.presence.announce(room, [user], []);
    });
    listen('room:leave', (_payload, room, ack) => {
      this.#leave(room, socket);
      ack(accepted({}));
    });
    listen('message:send', (payload, room, ack) => {
      const answer = this.#send(socket, payload, room);
      if (answer !== undefined) ack(answer);
    });
    for (const event of ACTS)
      listen(event, (payload, room, ack) => {
        const { answer, entry } = actOn(room, user, event, payload, this.faults);
        if (entry !== undefined) this.#append(room, entry, 'none');
        ack(answer);
      });
    listen('history:read', (payload, room, ack) => ack(readHistory(payload, room, user.id)));
    listen('messages:read', (payload, room, ack) =>
      ack(readMessages(payload, room, user.id, this.faults.archivedBelow)),
    );
    socket.on('search', (payload: SearchPayload, ack: Ack) => {
      this.onRequest?.('search', { room: '', ...payload });
      ack(search(payload, { rooms: this.#rooms, reader: user.id, isDown: this.faults.archivedBelow > 0 }));
    });
    this.#inbox.listen(socket, listen, this.faults);
    listen('presence:watch', (_payload, room, ack) => {
      ack(accepted(this.presence.snapshot(room)));
    });
    socket.on('presence:set', (payload: Parameters<FakePresence['set']>[1], ack: Ack) => {
      this.presence.set(user, payload, this.#rooms.values());
      ack(accepted({}));
    });
    listen('typing', (payload, room) => room.emit('typing', { ...payload, user }, socket));
    socket.on('disconnect', () => {
      for (const room of this.#rooms.values()) if (room.members.includes(socket)) this.#leave(room, socket);
    });
  }

  #join({ since, limit = LIMITS.pageEntriesDefault }: Payload, room: FakeRoom, { id }: UserRef): object {
    if (room.id === HIDDEN_ROOM) return refused(fakeError('not_found'));
    const resumed = since === undefined ? undefined : resume(room, this.faults.resumeEntriesMax, since as Position);
    const answer = resumed?.answer;
    const recovery = answer !== undefined && 'recovered' in answer ? answer : { ...room.state, recovered: false };
    const messages =
      recovery.recovered && resumed !== undefined ? resumed.missed : room.entriesFor(id).slice(-Number(limit));
    return accepted({ room: room.id, role: 'member', visibility: 'public', title: '', ...recovery, messages });
  }

  #leave(room: FakeRoom, socket: Socket): void {
    room.remove(socket);
    const { user } = socket.data as { user: UserRef };
    if (!room.users.some(({ id }) => id === user.id)) this.presence.announce(room, [], [user]);
  }

  /** @returns undefined if the acknowledgement is withheld */
  #send(socket: Socket, payload: Payload, room: FakeRoom): object | undefined {
    const { user } = socket.data as { user: UserRef };
    const { refuseSends } = this.faults;
    if (refuseSends !== null && refuseSends.times > 0) {
      refuseSends.times--;
      return refused(refuseSends.error);
    }
    const { room: _, clientMsgId, text, ...more } = payload;
    const key = `${user.id}\n${clientMsgId}`;
    const content = JSON.stringify([text, more]);
    const known = room.sent.get(key);
    if (known !== undefined)
      return known.content === content ? stored(known.entry, true) : refused(fakeError('conflict'));
    const entry = room.newEntry(user, String(clientMsgId), String(text), more);
    const fault = room.fault.ofSend(entry.seq);
    if (fault === 'send_refused') return refused(fakeError('unavailable'));
    if (fault !== 'acknowledged_not_stored') {
      room.sent.set(key, { content, entry });
      this.#append(room, entry, fault);
    }
    if (fault === 'cut') socket.conn.close();
    if (isResumeFault(fault)) room.members[0]?.conn.close();
    if (fault === 'asked_to_move') socket.emit('notice', { code: 'rebalance', reconnectInMs: 100 });
    if (fault === 'ack_withheld') return undefined;
    if (this.faults.swallowSendAcks === 0) return stored(entry, false);
    this.faults.swallowSendAcks--;
    return undefined;
  }

  #append(room: FakeRoom, entry: Entry, fault: PlantedFault): void {
    room.store(entry);
    this.#deliver(room, entry, fault);
    if (entry.type === 'message.delete') room.conversation.erase(Number((entry.data as { seq: number }).seq));
    this.#inbox.onStored(room, entry);
    if (fault === 'stored_twice') this.#append(room, { ...entry, seq: entry.seq + 1 }, 'none');
    if (fault === 'forged')
      this.#append(room, { ...entry, seq: entry.seq + 1, clientMsgId: 'forged', text: 'not sent' }, 'none');
  }

  /** Delivers the entry to all members. A planted fault affects the room's first member. */
  #deliver(room: FakeRoom, entry: Entry, fault: PlantedFault): void {
    if (this.faults.loseEntries > 0) {
      this.faults.loseEntries--;
      return;
    }
    const [first, ...others] = room.members;
    for (const member of others) member.emit('message', entry);
    for (const one of room.fault.deliver(entry, fault)) first?.emit('message', one);
  }
}

const positionsOf = (socket: Socket): Record<string, Position> => socket.handshake.auth.resume ?? {};

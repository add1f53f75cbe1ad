/**
 * A server that speaks the public contract from memory, for tests of the client: one process, no
 * store, and switches for what goes wrong. It is not the gateway and shares nothing with it but the
 * protocol's types.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ErrorBody, ErrorCode } from '@maru/protocol';
import { type Entry, ERROR_CATALOGUE, LIMITS, type Position, type ResumedRoom, type UserRef } from '@maru/protocol';
import { Server, type Socket } from 'socket.io';

interface FakeLog {
  epoch: string;
  entries: Entry[];
  sentIds: Map<string, { text: string; entry: Entry }>;
}

export interface FakeCluster {
  readonly url: string;
  /** Switches; each is read at the moment it matters. */
  faults: {
    /** Refuses this token as `unauthenticated`. */
    refusedTokens: Set<string>;
    /** Stores the message but keeps its answer back, so many times. */
    swallowSendAcks: number;
    /** Refuses sends with this error, so many times. */
    refuseSends: { times: number; error: ErrorBody } | null;
    /** Withholds the live `message` of so many entries; the log has them. */
    loseEntries: number;
    /** Holes above this are not closed by a resume. */
    resumeEntriesMax: number;
  };
  /** Every handshake's `auth.resume`, in order. */
  readonly resumes: Array<Record<string, Position>>;
  log(room: string): readonly Entry[];
  /** Stores an entry as if somebody elsewhere had sent it. */
  post(room: string, from: UserRef, text: string): Entry;
  /** Cuts every transport, as the death of a node does. */
  cutAll(): void;
  /** To everybody. */
  notice(notice: { code: string; reconnectInMs?: number }): void;
  /** DISCONNECT for everybody: an end to stay away from. */
  dismissAll(code: 'revoked' | 'expired'): void;
  rollBack(room: string, head: number): void;
  removeAll(room: string, reason: string): void;
  connections(): number;
  close(): Promise<void>;
}

export const fakeError = (code: ErrorCode, retryAfterMs?: number): ErrorBody => ({
  code,
  message: code,
  retryable: ERROR_CATALOGUE[code].retryable,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** Tokens are the user's id itself. `onRequest` answers what is not Socket.IO's. */
export async function startFakeCluster(onRequest?: RequestListener): Promise<FakeCluster> {
  const http = createServer(onRequest);
  const io = new Server(http, { serveClient: false });
  const logs = new Map<string, FakeLog>();
  const resumes: Array<Record<string, Position>> = [];
  let epochs = 0;
  const faults: FakeCluster['faults'] = {
    refusedTokens: new Set(),
    swallowSendAcks: 0,
    refuseSends: null,
    loseEntries: 0,
    resumeEntriesMax: LIMITS.resumeEntriesMax,
  };

  const logOf = (room: string): FakeLog => {
    const log = logs.get(room) ?? { epoch: `e${++epochs}`, entries: [], sentIds: new Map() };
    logs.set(room, log);
    return log;
  };
  const entriesOf = (room: string) => logOf(room).entries.map((entry) => ({ ...entry, epoch: logOf(room).epoch }));
  const stateOf = (room: string) => ({ epoch: logOf(room).epoch, head: logOf(room).entries.length, first: 1 });

  const append = (room: string, from: UserRef, clientMsgId: string, text: string): Entry => {
    const log = logOf(room);
    const seq = log.entries.length + 1;
    const entry: Entry = { room, epoch: log.epoch, seq, ts: Date.now(), type: 'text', from, clientMsgId, text };
    log.entries.push(entry);
    if (faults.loseEntries > 0) faults.loseEntries--;
    else io.to(room).emit('message', entry);
    return entry;
  };

  const tellPresence = (room: string, joins: UserRef[], leaves: UserRef[]) => {
    const count = peopleOf(room).length;
    const users = joins.map((user) => ({ ...user, status: 'online' }));
    io.to(room).emit('presence', { room, count, joins: users, leaves: leaves.map(({ id }) => ({ id })), updates: [] });
  };
  const peopleOf = (room: string): UserRef[] => {
    const people = new Map<string, UserRef>();
    for (const id of io.of('/').adapter.rooms.get(room) ?? []) {
      const user = io.of('/').sockets.get(id)?.data.user as UserRef | undefined;
      if (user !== undefined) people.set(user.id, user);
    }
    return [...people.values()];
  };

  const resumeRoom = (room: string, since: Position): { answer: ResumedRoom; missed: Entry[] } => {
    const state = stateOf(room);
    if (since.epoch !== state.epoch || since.seq > state.head) {
      return { answer: { ...state, recovered: false, reason: 'epoch' }, missed: [] };
    }
    if (state.head - since.seq > faults.resumeEntriesMax) {
      return { answer: { ...state, recovered: false, reason: 'too_far' }, missed: [] };
    }
    return { answer: { ...state, recovered: true }, missed: entriesOf(room).slice(since.seq) };
  };

  io.use((socket, next) => {
    const token: unknown = socket.handshake.auth.token;
    if (typeof token !== 'string' || token === '' || faults.refusedTokens.has(token)) {
      return next(Object.assign(new Error('refused'), { data: { code: 'unauthenticated' } }));
    }
    socket.data.user = { id: token, name: decodeURIComponent(token) };
    next();
  });

  io.on('connection', (socket: Socket) => {
    const user = socket.data.user as UserRef;
    const resume = (socket.handshake.auth.resume ?? {}) as Record<string, Position>;
    resumes.push(resume);
    const rooms: Record<string, ResumedRoom> = {};
    const missed: Entry[] = [];
    for (const [room, since] of Object.entries(resume)) {
      const resumed = resumeRoom(room, since);
      rooms[room] = resumed.answer;
      missed.push(...resumed.missed);
      socket.join(room);
    }
    socket.emit('session', { user: { ...user, roles: [] }, sessionId: socket.id, limits: {}, rooms });
    for (const entry of missed) socket.emit('message', entry);
    for (const room of Object.keys(resume)) tellPresence(room, [user], []);

    socket.on('room:join', ({ room, since, limit = LIMITS.pageEntriesDefault }, ack) => {
      if (room === 'p-hidden') return ack({ ok: false, error: fakeError('not_found') });
      const newest = entriesOf(room).slice(-limit);
      const resumed = since === undefined ? null : resumeRoom(room, since);
      const recovery =
        resumed !== null && 'recovered' in resumed.answer ? resumed.answer : { ...stateOf(room), recovered: false };
      const messages = recovery.recovered && resumed !== null ? resumed.missed : newest;
      ack({ ok: true, data: { room, role: 'member', ...recovery, messages } });
      socket.join(room);
      tellPresence(room, [user], []);
    });
    socket.on('room:leave', ({ room }, ack) => {
      socket.leave(room);
      if (!peopleOf(room).some(({ id }) => id === user.id)) tellPresence(room, [], [user]);
      ack({ ok: true, data: {} });
    });
    socket.on('message:send', ({ room, clientMsgId, text }, ack) => {
      const refusal = faults.refuseSends;
      if (refusal !== null && refusal.times > 0) {
        refusal.times--;
        return ack({ ok: false, error: refusal.error });
      }
      const log = logOf(room);
      const key = `${user.id}\n${clientMsgId}`;
      const known = log.sentIds.get(key);
      if (known !== undefined && known.text !== text) return ack({ ok: false, error: fakeError('conflict') });
      const entry = known?.entry ?? append(room, user, clientMsgId, text);
      log.sentIds.set(key, { text, entry });
      if (faults.swallowSendAcks > 0) {
        faults.swallowSendAcks--;
        return;
      }
      const { seq, ts } = entry;
      ack({ ok: true, data: { epoch: log.epoch, seq, ts, duplicate: known !== undefined } });
    });
    socket.on('history:read', ({ room, before, after, limit = LIMITS.pageEntriesDefault, epoch }, ack) => {
      const log = logOf(room);
      if (epoch !== undefined && epoch !== log.epoch) return ack({ ok: false, error: fakeError('conflict') });
      const all = entriesOf(room).filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Number.POSITIVE_INFINITY));
      const messages = after === undefined ? all.slice(-limit) : all.slice(0, limit);
      ack({ ok: true, data: { epoch: log.epoch, first: 1, messages, hasMore: all.length > messages.length } });
    });
    socket.on('presence:watch', ({ room }, ack) => {
      const people = peopleOf(room);
      const users = people.map((person) => ({ ...person, status: 'online' }));
      ack({ ok: true, data: { count: people.length, users } });
    });
    socket.on('typing', ({ room, active }) => socket.to(room).emit('typing', { room, user, active }));
    socket.on('disconnecting', () => {
      const left = [...socket.rooms].filter((room) => room !== socket.id);
      setImmediate(() => {
        for (const room of left) if (!peopleOf(room).some(({ id }) => id === user.id)) tellPresence(room, [], [user]);
      });
    });
  });

  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    faults,
    resumes,
    log: entriesOf,
    post: (room, from, text) => append(room, from, `srv-${logOf(room).entries.length}`, text),
    cutAll: () => {
      for (const socket of io.of('/').sockets.values()) socket.conn.close();
    },
    notice: (notice) => void io.emit('notice', notice),
    dismissAll(code) {
      io.emit('notice', { code });
      io.disconnectSockets();
    },
    rollBack(room, head) {
      const log = logOf(room);
      log.entries.length = Math.min(head, log.entries.length);
      log.epoch = `e${++epochs}`;
      io.to(room).emit('room:event', { type: 'epoch', room, epoch: log.epoch, head: log.entries.length });
    },
    removeAll(room, reason) {
      io.to(room).emit('room:event', { type: 'removed', room, reason });
      io.socketsLeave(room);
    },
    connections: () => io.of('/').sockets.size,
    close: async () => void (await io.close()),
  };
}

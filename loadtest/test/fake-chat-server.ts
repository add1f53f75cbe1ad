/**
 * A chat server of one process that keeps the contract as far as a load test looks, and breaks one promise on request: the faults that
 * the product must never have are planted here, so that every threshold is seen failing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Entry } from '@maru/protocol/events';
import { acceptWebSockets, type TextSocket } from './websocket-server.ts';

/** The promise that is broken, once: at the `FAULTY_SEQ`-th message of each room, or (`resume_…`) when a room is first resumed, by one who was cut at that message. */
export type Fault =
  | 'none'
  | 'lost'
  | 'lost_last'
  | 'doubled'
  | 'swapped'
  | 'altered'
  | 'acknowledged_not_stored'
  | 'stored_twice'
  | 'send_refused'
  | 'ack_withheld'
  | 'cut'
  | 'asked_to_move'
  | 'connect_refused'
  | 'resume_hole'
  | 'resume_tail_lost'
  | 'resume_doubled'
  | 'resume_replayed'
  | 'resume_swapped'
  | 'resume_altered'
  | 'resume_unrecovered'
  | 'resume_refused'
  | 'resume_unanswered';

const FAULTY_SEQ = 5;
/** A fault of a resume needs so many missed entries. */
const MISSED_MIN = 3;
const EPOCH = 'e1';
/** A page fits into one frame of `websocket-server.ts`. */
const PAGE_ENTRIES_MAX = 100;

interface Client {
  user: { id: string; name: string };
  socket: TextSocket;
  emit(name: string, payload: unknown): void;
}

interface Room {
  log: Entry[];
  /** In the order joined: the first is the one whom a fault of delivery hits. */
  members: Client[];
  held: Entry | undefined;
  faulty: boolean;
  faultyResume: boolean;
}

interface Auth {
  token?: string;
  resume?: Record<string, { epoch: string; seq: number }>;
}

export interface FakeChatServer {
  url: string;
  /** How many times figures came by Prometheus' remote write, to `/api/v1/write`. */
  remoteWrites(): number;
  close(): Promise<void>;
}

export async function startFakeChatServer(fault: Fault): Promise<FakeChatServer> {
  const rooms = new Map<string, Room>();
  let users = 0;
  let remoteWrites = 0;

  const server = createServer((request, response) => {
    const json = (status: number, body: string) => response.writeHead(status).end(body);
    if (request.url === '/api/v1/guests') {
      users++;
      const user = { id: `guest-${users}`, name: `load ${users}` };
      json(201, JSON.stringify({ token: `t.${users}.x`, user }));
    } else if (request.url === '/api/v1/write') {
      remoteWrites += request.headers['content-encoding'] === 'snappy' ? 1 : 0;
      json(204, '');
    } else if (request.url?.startsWith('/socket.io/?EIO=4&transport=polling')) json(200, openPacket());
    else json(404, '{}');
  });

  acceptWebSockets(server, (socket) => {
    let client: Client | undefined;
    socket.send(openPacket());
    return {
      frame(text) {
        if (text.startsWith('40')) {
          const auth = JSON.parse(text.slice(2)) as Auth;
          afterMissingSome(auth, () => {
            client = connect(socket, auth);
          });
        }
        if (text.startsWith('42') && client !== undefined) {
          const [, id = '', args = ''] = /^42(\d*)(\[.*)$/s.exec(text) ?? [];
          const [name, payload] = JSON.parse(args);
          const data = answer(client, name, payload);
          if (data !== undefined) socket.send(`43${id}${JSON.stringify([data])}`);
        }
      },
      closed() {
        for (const room of rooms.values()) room.members = room.members.filter((member) => member !== client);
      },
    };
  });

  function connect(socket: TextSocket, auth: Auth): Client | undefined {
    if (fault === 'connect_refused') {
      socket.send('44{"message":"unauthenticated","data":{"code":"unauthenticated"}}');
      return undefined;
    }
    const number = auth.token?.split('.')[1] ?? '0';
    const user = { id: `guest-${number}`, name: `load ${number}` };
    const emit = (name: string, payload: unknown) => socket.send(`42${JSON.stringify([name, payload])}`);
    socket.send(`40{"sid":"s${number}"}`);
    const client = { user, socket, emit };
    const resumed = Object.entries(auth.resume ?? {}).map(([id, { seq }]) => ({ id, ...resume(client, id, seq) }));
    const answers = resumed.filter((room) => room.answer !== undefined).map(({ id, answer }) => [id, answer]);
    const rooms = Object.fromEntries(answers);
    emit('session', { user: { ...user, roles: [] }, sessionId: `s${number}`, limits: {}, rooms });
    for (const { missed } of resumed) for (const entry of missed) emit('message', entry);
    return client;
  }

  /** Keeps one whose resume is to be a faulty one waiting until it has missed enough to show it; but not for ever. */
  function afterMissingSome(auth: Auth, then: () => void, waitedMs = 0): void {
    const tooEarly = Object.entries(auth.resume ?? {}).some(([id, { seq }]) => {
      const room = roomOf(id);
      return !room.faultyResume && room.log.length < seq + MISSED_MIN;
    });
    if (!fault.startsWith('resume_') || !tooEarly || waitedMs >= 1_000) then();
    else setTimeout(() => afterMissingSome(auth, then, waitedMs + 20), 20);
  }

  /** Joins the client again, and says what it is told and given; the first of each room that missed enough, as the fault will have it. */
  function resume(client: Client, id: string, seq: number): { answer: object | undefined; missed: Entry[] } {
    const room = roomOf(id);
    const missed = room.log.filter((entry) => entry.seq > seq);
    const state = { epoch: EPOCH, head: room.log.at(-1)?.seq ?? 0, first: 1 };
    const whole = { answer: { ...state, recovered: true }, missed };
    room.members.push(client);
    if (!fault.startsWith('resume_') || room.faultyResume || seq < 2 || missed.length < MISSED_MIN) return whole;
    room.faultyResume = true;
    const [first, second, ...rest] = missed as [Entry, Entry, ...Entry[]];
    switch (fault) {
      case 'resume_hole':
        return { ...whole, missed: [first, ...rest] };
      case 'resume_tail_lost':
        return { ...whole, missed: missed.slice(0, -1) };
      case 'resume_doubled':
        return { ...whole, missed: [first, first, second, ...rest] };
      case 'resume_replayed':
        return { ...whole, missed: room.log.filter((entry) => entry.seq >= seq) };
      case 'resume_swapped':
        return { ...whole, missed: [second, first, ...rest] };
      case 'resume_altered':
        return { ...whole, missed: [{ ...first, text: `${first.text}.` }, second, ...rest] };
      case 'resume_unrecovered':
        return { answer: { ...state, recovered: false, reason: 'too_far' }, missed: [] };
      case 'resume_refused':
        return { answer: { error: { code: 'forbidden', message: 'planted', retryable: false } }, missed: [] };
      default:
        return { answer: undefined, missed: [] };
    }
  }

  function answer(client: Client, name: string, payload: Record<string, unknown>): object | undefined {
    const room = roomOf(String(payload.room));
    const head = room.log.at(-1)?.seq ?? 0;
    switch (name) {
      case 'room:join': {
        room.members.push(client);
        const messages = room.log.slice(-50);
        const state = { epoch: EPOCH, head, first: 1, recovered: false };
        return ok({ room: payload.room, role: 'member', ...state, messages });
      }
      case 'message:send':
        return send(client, room, payload, head + 1);
      case 'history:read': {
        const newer = room.log.filter(({ seq }) => seq > Number(payload.after));
        const page = newer.slice(0, Math.min(PAGE_ENTRIES_MAX, Number(payload.limit)));
        return ok({ epoch: EPOCH, first: 1, messages: page, hasMore: page.length < newer.length });
      }
      default:
        return { ok: false, error: { code: 'invalid', message: 'unknown event', retryable: false } };
    }
  }

  function send(client: Client, room: Room, payload: Record<string, unknown>, seq: number): object | undefined {
    const same = room.log.find((known) => known.clientMsgId === payload.clientMsgId);
    if (same !== undefined) return ok({ epoch: EPOCH, seq: same.seq, ts: same.ts, duplicate: true });
    const entry: Entry = {
      room: String(payload.room),
      epoch: EPOCH,
      seq,
      ts: Date.now(),
      type: 'text',
      from: client.user,
      clientMsgId: String(payload.clientMsgId),
      text: String(payload.text),
    };
    const hit = !room.faulty && seq === FAULTY_SEQ;
    if (hit) room.faulty = true;
    if (hit && fault === 'send_refused')
      return { ok: false, error: { code: 'unavailable', message: 'planted', retryable: true } };
    if (!(hit && fault === 'acknowledged_not_stored')) {
      room.log.push(entry);
      deliver(room, entry, hit);
    }
    if (hit && fault === 'stored_twice') {
      const again = { ...entry, seq: seq + 1 };
      room.log.push(again);
      deliver(room, again, false);
    }
    if (hit && fault === 'cut') client.socket.close();
    if (hit && fault.startsWith('resume_')) room.members[0]?.socket.close();
    // No fault of anybody's: who is asked comes back by itself, and nothing ended that was not meant to.
    if (hit && fault === 'asked_to_move') client.emit('notice', { code: 'rebalance', reconnectInMs: 100 });
    return hit && fault === 'ack_withheld' ? undefined : ok({ epoch: EPOCH, seq, ts: entry.ts, duplicate: false });
  }

  /** Gives the entry to everyone; the room's first member gets it as the fault will have it. */
  function deliver(room: Room, entry: Entry, hit: boolean): void {
    const [victim, ...others] = room.members;
    for (const member of others) member.emit('message', entry);
    if (victim === undefined || (hit && fault === 'lost')) return;
    if (fault === 'lost_last' && entry.seq >= FAULTY_SEQ) return;
    if (hit && fault === 'swapped') {
      room.held = entry;
      return;
    }
    victim.emit('message', hit && fault === 'altered' ? { ...entry, text: `${entry.text}.` } : entry);
    if (hit && fault === 'doubled') victim.emit('message', entry);
    if (room.held !== undefined) victim.emit('message', room.held);
    room.held = undefined;
  }

  function roomOf(id: string): Room {
    const room = rooms.get(id) ?? {
      log: [],
      members: [],
      held: undefined,
      faulty: false,
      faultyResume: false,
    };
    rooms.set(id, room);
    return room;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    remoteWrites: () => remoteWrites,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const ok = (data: object) => ({ ok: true, data });
const openPacket = () =>
  '0{"sid":"fake.1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":131072}';

/**
 * A chat server of one process that keeps the contract as far as a load test looks, and breaks one promise on request: the faults that
 * the product must never have are planted here, so that every threshold is seen failing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Entry } from '@maru/protocol/events';
import { acceptWebSockets, type TextSocket } from './websocket-server.ts';

/** The promise that is broken, once, at the `FAULTY_SEQ`-th message of each room. */
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
  | 'connect_refused';

const FAULTY_SEQ = 5;
const EPOCH = 'e1';

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
}

export interface FakeChatServer {
  url: string;
  close(): Promise<void>;
}

export async function startFakeChatServer(fault: Fault): Promise<FakeChatServer> {
  const rooms = new Map<string, Room>();
  let users = 0;

  const server = createServer((request, response) => {
    const json = (status: number, body: string) => response.writeHead(status).end(body);
    if (request.url === '/api/v1/guests') {
      users++;
      const user = { id: `guest-${users}`, name: `load ${users}` };
      json(201, JSON.stringify({ token: `t.${users}.x`, user }));
    } else if (request.url?.startsWith('/socket.io/?EIO=4&transport=polling')) json(200, openPacket());
    else json(404, '{}');
  });

  acceptWebSockets(server, (socket) => {
    let client: Client | undefined;
    socket.send(openPacket());
    return {
      frame(text) {
        if (text.startsWith('40')) client = connect(socket, JSON.parse(text.slice(2)));
        else if (text.startsWith('42') && client !== undefined) {
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

  function connect(socket: TextSocket, auth: { token?: string }): Client | undefined {
    if (fault === 'connect_refused') {
      socket.send('44{"message":"unauthenticated","data":{"code":"unauthenticated"}}');
      return undefined;
    }
    const number = auth.token?.split('.')[1] ?? '0';
    const user = { id: `guest-${number}`, name: `load ${number}` };
    const emit = (name: string, payload: unknown) => socket.send(`42${JSON.stringify([name, payload])}`);
    socket.send(`40{"sid":"s${number}"}`);
    emit('session', { user: { ...user, roles: [] }, sessionId: `s${number}`, limits: {}, rooms: {} });
    return { user, socket, emit };
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
        const page = newer.slice(0, Number(payload.limit));
        return ok({ epoch: EPOCH, first: 1, messages: page, hasMore: page.length < newer.length });
      }
      default:
        return { ok: false, error: { code: 'invalid', message: 'unknown event', retryable: false } };
    }
  }

  function send(client: Client, room: Room, payload: Record<string, unknown>, seq: number): object | undefined {
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
    const room = rooms.get(id) ?? { log: [], members: [], held: undefined, faulty: false };
    rooms.set(id, room);
    return room;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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

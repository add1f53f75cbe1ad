/**
 * The target of a round: a user with connections on every node that send as fast as allowed, join,
 * leave, read and resume, before and after the act. They record everything that they receive.
 */
import type { ClientRequests, Entry, Position, RoomEvent } from '@maru/protocol';
import type { RoomChecker } from '@maru/testkit/checker/room-checker';
import type { Random } from '../faults/random.ts';
import { sleep } from '../support/poll.ts';
import type { Road, TargetLog } from './race-check.ts';
import { type Reply, WireClient } from './wire-client.ts';

export interface TargetOptions {
  endpoints: readonly string[];
  token: string;
  user: string;
  room: string;
  checker: RoomChecker;
  random: Random;
  /** The target is out permanently, so an ended connection is not replaced. */
  isOver: () => boolean;
}

const WINDOW = 4;
const REFUSED_PAUSE_MS = 5;
const PAGE = 20;
/** Events that must not follow `removed` on a connection that has not joined the room again. */
const ROOM_EVENTS = new Set(['message', 'typing', 'presence']);

export class Target {
  readonly log: TargetLog = { seen: [], asked: [] };
  readonly violations: string[] = [];
  /** The newest entry that any connection received. */
  position: Position | undefined;
  /** Refused connections, with the reasons. */
  readonly refusals: string[] = [];
  /** Number of received `room:event removed`. */
  removals = 0;
  readonly #options: TargetOptions;
  readonly #clients = new Set<WireClient>();
  #sent = 0;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  get open(): number {
    return [...this.#clients].filter(({ ended }) => ended === undefined).length;
  }

  /** Opens two connections to each node. One only sends, the other also joins and leaves. */
  async start(): Promise<void> {
    const { endpoints, room } = this.#options;
    await Promise.all(
      endpoints.map(async (endpoint, node) => {
        const name = `sender on ${node + 1}`;
        const client = await this.#connect(endpoint, name);
        await this.#join(client, name);
        await client.request('presence:watch', { room });
      }),
    );
  }

  /** Runs until the round is over. */
  async run(): Promise<void> {
    const { endpoints } = this.#options;
    const senders = [...this.#clients].flatMap((client, node) =>
      Array.from({ length: WINDOW }, () => this.#send(client, `sender on ${node + 1}`)),
    );
    await Promise.all([...senders, ...endpoints.map((endpoint, node) => this.#wander(endpoint, node))]);
  }

  /** Reconnects to a node with `auth.resume`, and sends every request once. */
  async comeBack(node: number, position: Position): Promise<void> {
    const { endpoints, room, isOver } = this.#options;
    const name = `back on ${node + 1}`;
    const askedAtMs = Date.now();
    let client: WireClient;
    try {
      client = await this.#connect(endpoints[node] as string, name, { [room]: position });
    } catch (error) {
      this.refusals.push((error as Error).message);
      return;
    }
    this.#asked(name, 'auth.resume', askedAtMs, outcomeOf(client, room));
    await this.#read(client, name);
    await this.#join(client, name);
    await this.#sendOne(client, name);
    while (!isOver() && client.ended === undefined) await sleep(REFUSED_PAUSE_MS);
  }

  close(): void {
    for (const client of this.#clients) client.cut();
  }

  async #connect(endpoint: string, name: string, resume?: Record<string, Position>): Promise<WireClient> {
    const { token, room, user, checker } = this.#options;
    const isChecked = isSender(name);
    let removed = false;
    const client = new WireClient(endpoint, {
      token,
      ...(resume === undefined ? {} : { resume }),
      onEvent: (event, payload) => {
        const about = payload as { room?: string };
        if (about?.room !== room) return;
        if (isChecked && removed && ROOM_EVENTS.has(event))
          this.violations.push(`${name} got ${event} after it was removed`);
        if (event === 'room:event' && (payload as RoomEvent).type === 'removed') {
          removed = true;
          this.removals++;
        }
        if (event !== 'message') return;
        this.#see(name, resume === undefined ? 'live' : 'resume', payload as Entry);
        if (isChecked) checker.received(`${user}, ${name}`, payload as Entry);
      },
    });
    await client.ready;
    this.#clients.add(client);
    return client;
  }

  /** Joins, leaves and reconnects on one node, in random order. */
  async #wander(endpoint: string, node: number): Promise<void> {
    const { random, room, isOver, endpoints } = this.#options;
    const name = `wanderer from ${node + 1}`;
    let client: WireClient | undefined;
    let at = endpoint;
    while (!isOver()) {
      if (client === undefined || client.ended !== undefined) {
        const resume = this.position === undefined || client === undefined ? undefined : { [room]: this.position };
        const askedAtMs = Date.now();
        const next = await this.#connect(at, name, resume).catch((error: Error) => {
          this.refusals.push(error.message);
        });
        if (next === undefined) {
          await sleep(REFUSED_PAUSE_MS);
          continue;
        }
        client = next;
        if (resume !== undefined) this.#asked(name, 'auth.resume', askedAtMs, outcomeOf(client, room));
      }
      const step = random.between(0, 7);
      if (step <= 2) await this.#join(client, name);
      else if (step <= 4) await this.#read(client, name);
      else if (step === 5) await client.request('room:leave', { room });
      else if (step === 6) await this.#sendOne(client, name);
      else {
        client.cut();
        at = random.pick(endpoints);
      }
      await sleep(1);
    }
  }

  async #send(client: WireClient, name: string): Promise<void> {
    while (!this.#options.isOver() && client.ended === undefined)
      if (!(await this.#sendOne(client, name))) await sleep(REFUSED_PAUSE_MS);
  }

  async #sendOne(client: WireClient, name: string): Promise<boolean> {
    const { room, user, checker } = this.#options;
    const clientMsgId = `t-${++this.#sent}`;
    const text = `${this.#sent} of ${user}`;
    // Acts and disconnects refuse some, and several are in flight, so no order is guaranteed.
    const attempt = checker.sent({ user, connection: clientMsgId, clientMsgId, text });
    const askedAtMs = Date.now();
    const reply = await client.request('message:send', { room, clientMsgId, text });
    if (reply !== 'cut' && reply.ok) {
      attempt.stored(reply.data);
      this.#asked(name, 'message:send', askedAtMs, 'ok', reply.data.seq);
      return true;
    }
    if (reply !== 'cut') attempt.refused();
    this.#asked(name, 'message:send', askedAtMs, reply === 'cut' ? 'cut' : reply.error.code);
    return false;
  }

  async #join(client: WireClient, name: string): Promise<void> {
    const { room, user, checker } = this.#options;
    const data = await this.#ask(client, name, 'room:join', { room, limit: PAGE }, (reply) => {
      // The log of this connection must have no gap up to the act.
      if (isSender(name) && reply !== 'cut' && reply.ok) checker.joined(`${user}, ${name}`, reply.data);
    });
    for (const entry of data?.messages ?? []) this.#see(name, 'join', entry);
  }

  async #read(client: WireClient, name: string): Promise<void> {
    const data = await this.#ask(client, name, 'history:read', { room: this.#options.room, limit: PAGE });
    for (const entry of data?.messages ?? []) this.#see(name, 'history', entry);
  }

  async #ask<N extends 'room:join' | 'history:read'>(
    client: WireClient,
    name: string,
    event: N,
    payload: ClientRequests[N][0],
    onReply?: (reply: Reply<ClientRequests[N][1]>) => void,
  ): Promise<ClientRequests[N][1] | undefined> {
    const askedAtMs = Date.now();
    const reply = await client.request(event, payload, onReply);
    this.#asked(name, event, askedAtMs, reply === 'cut' ? 'cut' : reply.ok ? 'ok' : reply.error.code);
    return reply !== 'cut' && reply.ok ? reply.data : undefined;
  }

  #asked(connection: string, event: string, askedAtMs: number, outcome: string, seq?: number): void {
    this.log.asked.push({
      connection,
      event,
      askedAtMs,
      answeredAtMs: Date.now(),
      outcome,
      ...(seq === undefined ? {} : { seq }),
    });
  }

  #see(connection: string, road: Road, { epoch, seq }: Entry): void {
    this.log.seen.push({ connection, road, seq, atMs: Date.now() });
    if (seq > (this.position?.seq ?? 0)) this.position = { epoch, seq };
  }
}

const isSender = (connection: string): boolean => connection.startsWith('sender');

/** The answer to a resume of the room. */
function outcomeOf({ session }: WireClient, room: string): string {
  const answer = session?.rooms[room];
  if (answer === undefined) return 'none';
  return 'error' in answer ? answer.error.code : 'ok';
}

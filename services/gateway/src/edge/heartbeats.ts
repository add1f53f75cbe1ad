/**
 * When connections are pinged. Engine.IO has a timer for each, so a node of thousands wakes for every single ping and every single answer; here all that
 * are due within a beat are pinged one after the other, and so their answers come together too. What a ping is, and what becomes of one
 * who does not answer, is the library's matter as before.
 */
import type { Ticker } from '../cluster/ticker.ts';
import { textFrames } from './websocket/frames.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** A ping comes at most two of these after its time. Clients wait for it 20 s longer than the interval of 25 s. */
const BEAT_MS = 500;
/** Pinged in one turn of the event loop: some 30 µs each, and thousands may be due at once that came together. */
const PINGS_A_TURN = 32;

/** Engine.IO's packet without a payload. */
const PING = textFrames(['2']);

/** What is needed of an Engine.IO connection. */
export interface PingedConnection {
  readonly id: string;
  /** Calls `refresh` when a ping was answered. */
  pingIntervalTimer: { refresh(): unknown } | null;
  hasRefreshedPingTimeout: boolean;
  readonly transport: unknown;
  sendPacket(type: 'ping'): void;
  /** Ends the connection if there is no answer within the library's patience. */
  resetPingTimeout(): void;
}

/** What is needed of an Engine.IO server. */
export interface PingingServer {
  opts: { pingInterval: number };
  /** Open connections by their id. */
  clients: Record<string, PingedConnection>;
  on(event: 'connection', listener: (connection: PingedConnection) => void): unknown;
}

export class Heartbeats {
  readonly #server: PingingServer;
  readonly #now: () => number;
  /** Each connection that waits for its ping, by the beat in which it may be due: once, however often it answers. */
  readonly #waiting = new Map<number, NextPing[]>();
  /** The first beat that has not been. */
  #beat: number;
  /** What beats before have brought up and nobody has looked at yet. */
  readonly #due: NextPing[] = [];
  /** The rest of that follows in the next turn. */
  #pinging = false;

  /** Takes over connections from now on. */
  constructor(server: PingingServer, now: () => number) {
    this.#server = server;
    this.#now = now;
    this.#beat = Math.floor(now() / BEAT_MS);
    server.on('connection', (connection) => this.#adopt(connection));
  }

  /** Returns what ends it. */
  start(beat: Ticker): () => void {
    return beat.join(BEAT_MS, () => this.run());
  }

  /** Pings all that have become due, however long ago: a node that slept has missed beats, and its clients wait. */
  run(): void {
    const beat = Math.floor(this.#now() / BEAT_MS);
    for (; this.#beat <= beat; this.#beat++) {
      for (const next of this.#waiting.get(this.#beat) ?? []) this.#due.push(next);
      this.#waiting.delete(this.#beat);
    }
    if (!this.#pinging) this.#pingSome();
  }

  /** It was heard of just now. */
  schedule(next: NextPing): void {
    next.beat = Math.ceil((this.#now() + this.#server.opts.pingInterval) / BEAT_MS);
    if (!next.waits) this.#wait(next);
  }

  #pingSome(): void {
    for (let n = 0; n < PINGS_A_TURN; n++) {
      const next = this.#due.shift();
      if (next === undefined) break;
      next.waits = false;
      const connection = this.#server.clients[next.id];
      if (connection === undefined) continue;
      if (next.beat >= this.#beat) this.#wait(next);
      else ping(connection);
    }
    this.#pinging = this.#due.length > 0;
    if (this.#pinging) setImmediate(() => this.#pingSome());
  }

  #wait(next: NextPing): void {
    next.waits = true;
    const due = this.#waiting.get(next.beat);
    if (due === undefined) this.#waiting.set(next.beat, [next]);
    else due.push(next);
  }

  #adopt(connection: PingedConnection): void {
    clearTimeout(connection.pingIntervalTimer as NodeJS.Timeout);
    connection.pingIntervalTimer = new NextPing(this, connection.id).refresh();
  }
}

/** As the library does it, but that all share the frame where it can be written at once. */
function ping(connection: PingedConnection): void {
  const { transport } = connection;
  connection.hasRefreshedPingTimeout = false;
  if (!(transport instanceof WebSocketTransport && transport.writeFrames(PING))) connection.sendPacket('ping');
  connection.resetPingTimeout();
}

/** In the place of the library's timer. It knows its connection by name, so that one which has ended is not held until then. */
class NextPing {
  readonly id: string;
  /** In which it is due; it may wait in an earlier one, and then waits on. */
  beat = 0;
  waits = false;
  readonly #heartbeats: Heartbeats;

  constructor(heartbeats: Heartbeats, id: string) {
    this.#heartbeats = heartbeats;
    this.id = id;
  }

  refresh(): this {
    this.#heartbeats.schedule(this);
    return this;
  }
}

/**
 * Pings connections. Engine.IO has a timer for each connection, so a node with thousands of them
 * wakes up for every ping and every pong. Here all connections that are due in the same period are
 * pinged together, so their pongs arrive together, too. The library still handles pongs and
 * timeouts.
 */
import type { Ticker } from '../cluster/ticker.ts';
import { textFrames } from './websocket/frames.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/**
 * A ping leaves at most two periods late. Clients wait for it as long as the pong timeout.
 */
const PERIOD_MS = 500;
/**
 * Pings in one event loop turn, at about 30 µs each. Thousands are due together if they connected
 * together.
 */
const PINGS_PER_TURN = 32;

/** Engine.IO's ping packet. */
const PING = textFrames(['2']);

/** What is used of an Engine.IO connection. */
export interface PingedConnection {
  readonly id: string;
  /** Engine.IO calls `refresh` on each pong. */
  pingIntervalTimer: { refresh(): unknown } | null;
  hasRefreshedPingTimeout: boolean;
  readonly transport: unknown;
  sendPacket(type: 'ping'): void;
  /** Starts the library's pong timeout. */
  resetPingTimeout(): void;
}

/** What is used of an Engine.IO server. */
export interface PingingServer {
  opts: { pingInterval: number };
  /** Open connections by id. */
  clients: Record<string, PingedConnection>;
  on(event: 'connection', listener: (connection: PingedConnection) => void): unknown;
}

export class Heartbeats {
  readonly #server: PingingServer;
  readonly #now: () => number;
  /**
   * Connections by the period in which their ping may be due. Each is listed once, however often it
   * answers.
   */
  readonly #waiting = new Map<number, NextPing[]>();
  /** The first period that is not over. */
  #period: number;
  /** Connections of past periods that were not checked yet. */
  readonly #due: NextPing[] = [];
  /** True while the rest of `#due` follows in the next turn. */
  #pinging = false;

  /** Takes over all connections from now on. */
  constructor(server: PingingServer, now: () => number) {
    this.#server = server;
    this.#now = now;
    this.#period = Math.floor(now() / PERIOD_MS);
    server.on('connection', (connection) => this.#adopt(connection));
  }

  /** Returns a function that stops the pings. */
  start(ticker: Ticker): () => void {
    return ticker.join(PERIOD_MS, () => this.run());
  }

  /** Pings all due connections. After a pause of the process, several periods are due. */
  run(): void {
    const period = Math.floor(this.#now() / PERIOD_MS);
    for (; this.#period <= period; this.#period++) {
      for (const next of this.#waiting.get(this.#period) ?? []) this.#due.push(next);
      this.#waiting.delete(this.#period);
    }
    if (!this.#pinging) this.#pingSome();
  }

  /** Its connection has just answered. */
  schedule(next: NextPing): void {
    next.period = Math.ceil((this.#now() + this.#server.opts.pingInterval) / PERIOD_MS);
    if (!next.waits) this.#wait(next);
  }

  #pingSome(): void {
    for (let n = 0; n < PINGS_PER_TURN; n++) {
      const next = this.#due.shift();
      if (next === undefined) break;
      next.waits = false;
      const connection = this.#server.clients[next.id];
      if (connection === undefined) continue;
      if (next.period >= this.#period) this.#wait(next);
      else ping(connection);
    }
    this.#pinging = this.#due.length > 0;
    if (this.#pinging) setImmediate(() => this.#pingSome());
  }

  #wait(next: NextPing): void {
    next.waits = true;
    const due = this.#waiting.get(next.period);
    if (due === undefined) this.#waiting.set(next.period, [next]);
    else due.push(next);
  }

  #adopt(connection: PingedConnection): void {
    clearTimeout(connection.pingIntervalTimer as NodeJS.Timeout);
    connection.pingIntervalTimer = new NextPing(this, connection.id).refresh();
  }
}

/** The same as the library's ping, except that idle connections share one frame. */
function ping(connection: PingedConnection): void {
  const { transport } = connection;
  connection.hasRefreshedPingTimeout = false;
  if (!(transport instanceof WebSocketTransport && transport.writeFrames(PING))) connection.sendPacket('ping');
  connection.resetPingTimeout();
}

/**
 * Replaces the library's timer. It refers to its connection by id, so that an ended connection can
 * be freed.
 */
class NextPing {
  readonly id: string;
  /**
   * The period in which the ping is due. It may be listed under an earlier
   * period, which lists it again at its end.
   */
  period = 0;
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

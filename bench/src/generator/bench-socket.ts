/** One client: a WebSocket by hand, and of Socket.IO just what the chat contract needs of one who joins one room and sends. */
import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { clientFrame, type FrameBounds, OPCODE, readFrame, readMark, readNumber } from './frames.ts';

export interface SocketEvents {
  /** Once in its room, with the answer to its join. */
  onJoined(answer: JoinAnswer): void;
  /** The server could not take the join just now; it is asked again. */
  onJoinPutOff(): void;
  /** A message of `room`, the `number`th of it. */
  onMessage(room: number, number: number): void;
  /** The answer to the send with that id. */
  onAck(id: number, ok: boolean): void;
  /** The connection ended, and nobody here had asked for it. */
  onLost(why: string): void;
}

/** Where a room's log stood; stock servers have no log and say nothing. */
export interface JoinAnswer {
  epoch?: string;
  seq?: number;
}

export interface SocketOptions {
  host: string;
  port: number;
  auth: Record<string, unknown>;
  roomName: string;
  /** The room comes with `auth.resume`, so it is not joined again. */
  resumes: boolean;
}

/** Below every id that a send uses. */
const JOIN_ID = 0;
const RETRY_MS = 500;
const READ_BYTES = 65_536;
const PONG = clientFrame('3');
const CLOSE = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
/** Sockets are read one after the other, each wholly, so one buffer serves all. */
const shared = Buffer.alloc(READ_BYTES);
const bounds: FrameBounds = { opcode: 0, start: 0, end: 0 };
const mark = { room: 0, number: 0 };

const DIGIT = {
  open: 0x30,
  ping: 0x32,
  message: 0x34,
  connected: 0x30,
  event: 0x32,
  ack: 0x33,
  refused: 0x34,
} as const;
const LETTER_M = 0x6d;
const LETTER_E = 0x65;
const LETTER_S = 0x73;

export class BenchSocket {
  readonly #options: SocketOptions;
  readonly #events: SocketEvents;
  readonly #socket: Socket;
  #upgraded = false;
  #ended = false;
  #rest: Buffer | undefined;

  constructor(options: SocketOptions, events: SocketEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = createConnection({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (bytes, chunk) => {
          this.#onBytes(chunk as Buffer, bytes);
          return true;
        },
      },
    });
    this.#socket.once('connect', () => this.#upgrade());
    this.#socket.once('error', (error) => this.#lose(error.message));
    this.#socket.once('close', () => this.#lose('closed'));
  }

  send(frame: Buffer): void {
    this.#socket.write(frame);
  }

  /** Ends the connection as a client does that leaves; with `abruptly` as one does whose network is gone. */
  close(abruptly = false): void {
    this.#ended = true;
    // One that is being shut down cannot be reset any more.
    if (abruptly && !this.#socket.writableEnded) this.#socket.resetAndDestroy();
    else this.#socket.end(CLOSE);
  }

  #upgrade(): void {
    const { host, port } = this.#options;
    this.#socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
  }

  #onBytes(chunk: Buffer, length: number): void {
    if (this.#ended) return;
    let bytes = chunk;
    let to = length;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      to = bytes.length;
      this.#rest = undefined;
    }
    let at = 0;
    if (!this.#upgraded) {
      const end = bytes.subarray(0, to).indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = Buffer.from(bytes.subarray(0, to));
        return;
      }
      const status = bytes.toString('latin1', 9, 12);
      if (status !== '101') {
        this.#lose(`upgrade refused with ${status}`);
        return;
      }
      this.#upgraded = true;
      at = end + 4;
    }
    while (at < to && readFrame(bytes, at, to, bounds)) {
      at = bounds.end;
      if (bounds.opcode === OPCODE.text) this.#onText(bytes, bounds.start, bounds.end);
      else if (bounds.opcode === OPCODE.close) this.#lose('closed by the server');
      if (this.#ended) return;
    }
    if (at < to) this.#rest = Buffer.from(bytes.subarray(at, to));
  }

  #onText(bytes: Buffer, start: number, end: number): void {
    switch (bytes[start]) {
      case DIGIT.ping:
        this.send(PONG);
        break;
      case DIGIT.open:
        this.send(clientFrame(`40${JSON.stringify(this.#options.auth)}`));
        break;
      case DIGIT.message:
        this.#onPacket(bytes, start, end);
        break;
    }
  }

  #onPacket(bytes: Buffer, start: number, end: number): void {
    switch (bytes[start + 1]) {
      case DIGIT.event:
        this.#onEvent(bytes, start, end);
        break;
      case DIGIT.ack:
        this.#onAck(bytes, start, end);
        break;
      case DIGIT.connected:
        if (!this.#options.resumes) this.#join();
        break;
      case DIGIT.refused:
        this.#lose(bytes.toString('utf8', start, end));
        break;
    }
  }

  #onEvent(bytes: Buffer, start: number, end: number): void {
    const first = bytes[start + 4];
    // `42["message",…`, and no other event of the contract begins with these letters.
    if (first === LETTER_M && bytes[start + 5] === LETTER_E && bytes[start + 6] === LETTER_S) {
      if (!readMark(bytes, start, end, mark)) throw new Error('a message without a mark');
      this.#events.onMessage(mark.room, mark.number);
    } else if (this.#options.resumes && first === LETTER_S) {
      // `42["session",…`: what was resumed follows.
      this.#events.onJoined({});
    }
  }

  #join(): void {
    if (!this.#ended) this.send(clientFrame(`42${JOIN_ID}["room:join",{"room":"${this.#options.roomName}"}]`));
  }

  #onAck(bytes: Buffer, start: number, end: number): void {
    const id = readNumber(bytes, start + 2, end);
    if (id !== JOIN_ID) {
      this.#events.onAck(id, bytes.subarray(start, end).includes('"ok":true'));
      return;
    }
    const [answer] = JSON.parse(bytes.toString('utf8', start + 3, end)) as [
      { ok: boolean; data?: { epoch?: string; head?: number }; error?: { retryable: boolean; retryAfterMs?: number } },
    ];
    if (answer.error?.retryable === true) {
      this.#events.onJoinPutOff();
      setTimeout(() => this.#join(), answer.error.retryAfterMs ?? RETRY_MS);
      return;
    }
    if (!answer.ok) {
      this.#lose(`the join was refused: ${JSON.stringify(answer)}`);
      return;
    }
    const { epoch, head } = answer.data ?? {};
    this.#events.onJoined({ ...(epoch === undefined ? {} : { epoch }), ...(head === undefined ? {} : { seq: head }) });
  }

  #lose(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#events.onLost(why);
  }
}

/**
 * The connection of one generated client: a minimal WebSocket and Socket.IO client that joins or
 * resumes one room and sends messages.
 */
import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { clientFrame, type FrameBounds, OPCODE, readFrame, readMark, readNumber } from './frames.ts';

export interface SocketEvents {
  /** The client joined or resumed its room. */
  onJoined(answer: JoinAnswer): void;
  /** The server refused the join with a retryable error. The client tries again. */
  onJoinRetry(): void;
  /** A message arrived, with the room and number from its mark. */
  onMessage(room: number, number: number): void;
  /** The server answered the send with this acknowledgement id. */
  onAck(id: number, ok: boolean): void;
  /** The connection ended without a call of `close`. */
  onLost(why: string): void;
}

/** Position of the room's log. Empty for servers without a log, and after a resume. */
export interface JoinAnswer {
  epoch?: string;
  seq?: number;
}

export interface SocketOptions {
  host: string;
  port: number;
  auth: Record<string, unknown>;
  roomName: string;
  /** `auth.resume` names the room, so the client does not join it again. */
  resumes: boolean;
}

/** Sends use higher ids. */
const JOIN_ID = 0;
const RETRY_MS = 500;
const READ_BYTES = 65_536;
const PONG = clientFrame('3');
const CLOSE = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
/** Each read is processed completely before the next one, so all sockets share one buffer. */
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

  /** Closes the WebSocket, or with `abruptly` resets the TCP connection like a network failure. */
  close(abruptly = false): void {
    this.#ended = true;
    // A socket that is already closing cannot be reset.
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
        this.#lose(`the server refused the upgrade with ${status}`);
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
    // `42["message",…`. No other event begins with these letters.
    if (first === LETTER_M && bytes[start + 5] === LETTER_E && bytes[start + 6] === LETTER_S) {
      if (!readMark(bytes, start, end, mark)) throw new Error('a message has no mark');
      this.#events.onMessage(mark.room, mark.number);
    } else if (this.#options.resumes && first === LETTER_S) {
      // `42["session",…`. The missed messages follow.
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
      this.#events.onJoinRetry();
      setTimeout(() => this.#join(), answer.error.retryAfterMs ?? RETRY_MS);
      return;
    }
    if (!answer.ok) {
      this.#lose(`the server refused the join: ${JSON.stringify(answer)}`);
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

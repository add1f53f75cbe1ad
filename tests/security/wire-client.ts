/**
 * A client on a raw TCP socket that implements WebSocket, Engine.IO and Socket.IO. It is cheap, so
 * one process can have thousands. It reports every frame, so no output of a server is missed.
 */
import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import type { Ack, ClientRequests, Position, SessionData } from '@maru/protocol';
import { decode, encode, type Packet } from '@maru/testkit/codec/packets';

export interface WireOptions {
  token: string;
  resume?: Record<string, Position>;
  onEvent?: (name: string, payload: unknown) => void;
  /** Called for every text frame before it is handled. */
  onFrame?: (frame: string) => void;
  /** The connection ended, on either side. */
  onEnd?: (why: string) => void;
}

export type Reply<T> = Ack<T> | 'cut';
type DataOf<N extends keyof ClientRequests> = ClientRequests[N][1];

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASKED = 0x80;
const FINAL = 0x80;
const CONNECT_TIMEOUT_MS = 30_000;
const EXCERPT_CHARS_MAX = 80;

/** A masked frame. The mask is zero, so the payload stays unchanged. */
export function clientFrame(text: string, opcode: number = OPCODE.text): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < LENGTH_16 ? 6 : length <= 0xffff ? 8 : 14;
  const frame = Buffer.alloc(header + length);
  frame[0] = FINAL | opcode;
  if (header === 6) frame[1] = MASKED | length;
  else if (header === 8) {
    frame[1] = MASKED | LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = MASKED | LENGTH_64;
    frame.writeUInt32BE(length, 6);
  }
  frame.write(text, header);
  return frame;
}

export const upgradeRequest = (host: string): string =>
  `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`;

export class WireClient {
  /** Resolves with `session`; rejects if the connection ends before. */
  readonly ready: Promise<SessionData>;
  session: SessionData | undefined;
  /** Why the connection ended; undefined while it lasts. */
  ended: string | undefined;
  readonly #socket: Socket;
  readonly #options: WireOptions;
  readonly #open = new Map<number, (reply: Reply<never>) => void>();
  #isReady: (session: SessionData) => void = () => {};
  #isRefused: (error: Error) => void = () => {};
  #nextId = 0;
  #upgraded = false;
  /** CONNECT was sent before the handshake ended. */
  #isEarly = false;
  #rest: Buffer = Buffer.alloc(0);
  /** The previous frame. */
  #before = '';

  constructor(endpoint: string, options: WireOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      this.#isRefused = reject;
    });
    // A caller that does not await it is informed by `onEnd`.
    this.ready.catch(() => {});
    const { hostname, port, host } = new URL(endpoint);
    this.#socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(host)));
    this.#socket.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end('closed'));
    const timer = setTimeout(() => this.#isRefused(new Error('no session in time')), CONNECT_TIMEOUT_MS);
    timer.unref();
    this.ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
  }

  /** Bytes that the server has not read yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** @param onReply called before any later frame is handled; the promise resolves after it */
  request<N extends keyof ClientRequests>(
    event: N,
    payload: ClientRequests[N][0],
    onReply?: (reply: Reply<DataOf<N>>) => void,
  ): Promise<Reply<DataOf<N>>> {
    if (this.ended !== undefined) return Promise.resolve('cut');
    const id = ++this.#nextId;
    return new Promise((resolve) => {
      this.#open.set(id, (reply) => {
        onReply?.(reply);
        resolve(reply);
      });
      this.sendFrame(encode.event(event, payload, id));
    });
  }

  /** @throws if the request is refused or the connection ends */
  async ok<N extends keyof ClientRequests>(event: N, payload: ClientRequests[N][0]): Promise<DataOf<N>> {
    const reply = await this.request(event, payload);
    if (reply !== 'cut' && reply.ok) return reply.data;
    throw new Error(`${event}: ${reply === 'cut' ? `cut (${this.ended})` : JSON.stringify(reply.error)}`);
  }

  /** Sends an event without an acknowledgement. */
  emit(event: string, payload: unknown): void {
    this.sendFrame(encode.event(event, payload, undefined));
  }

  sendFrame(text: string): void {
    if (this.ended === undefined) this.#socket.write(clientFrame(text));
  }

  /** Sends frames after the upgrade request, without waiting for the server. */
  sendEarly(frames: readonly string[]): void {
    this.#isEarly = true;
    this.#socket.once('connect', () => {
      for (const frame of frames) this.#socket.write(clientFrame(frame));
    });
  }

  /** Ends the connection without a close frame, like a lost network. */
  cut(): void {
    this.#socket.destroy();
    this.#end('cut by the client');
  }

  #onBytes(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      const status = bytes.toString('latin1', 9, 12);
      if (status !== '101') {
        this.#end(`the upgrade was refused with ${status}`);
        return;
      }
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    for (let end = this.#onFrame(bytes, at); end > 0 && this.ended === undefined; end = this.#onFrame(bytes, at))
      at = end;
    this.#rest = bytes.subarray(at);
  }

  /** Handles the frame at `from`. @returns its end; 0 if it is not complete */
  #onFrame(bytes: Buffer, from: number): number {
    if (bytes.length - from < 2) return 0;
    let length = (bytes[from + 1] as number) & 0x7f;
    let start = from + 2;
    if (length === LENGTH_16) {
      if (bytes.length < start + 2) return 0;
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === LENGTH_64) {
      if (bytes.length < start + 8) return 0;
      length = bytes.readUInt32BE(start + 4);
      start += 8;
    }
    if (bytes.length < start + length) return 0;
    const opcode = (bytes[from] as number) & 0x0f;
    if (opcode === OPCODE.text) this.#onText(bytes.toString('utf8', start, start + length));
    else if (opcode === OPCODE.ping) this.#socket.write(clientFrame('', OPCODE.pong));
    else if (opcode === OPCODE.close)
      this.#end(`closed by the server${bytes.toString('latin1', start + 2, start + length)}`);
    return start + length;
  }

  #onText(frame: string): void {
    this.#options.onFrame?.(frame);
    const packet = this.#decode(frame);
    if (packet === undefined) return;
    switch (packet.type) {
      case 'ping':
        this.sendFrame(encode.pong());
        break;
      case 'open':
        if (!this.#isEarly) this.sendFrame(encode.connect(this.#auth()));
        break;
      case 'refused':
        this.#end(`refused: ${(packet.data as { code?: string } | undefined)?.code ?? packet.message}`);
        break;
      case 'disconnected':
        this.#end('disconnected by the server');
        break;
      case 'ack': {
        const resolve = this.#open.get(packet.id);
        this.#open.delete(packet.id);
        resolve?.(packet.args[0] as Reply<never>);
        break;
      }
      case 'event':
        this.#onEvent(packet.name, packet.args[0]);
    }
  }

  /** An invalid frame ends the connection. The error contains the frame before it. */
  #decode(frame: string): Packet | undefined {
    try {
      const packet = decode(frame);
      this.#before = frame;
      return packet;
    } catch (error) {
      this.#end(`${String(error)}, after ${this.#before.slice(0, EXCERPT_CHARS_MAX)}`);
      return undefined;
    }
  }

  #auth(): Record<string, unknown> {
    const { token, resume } = this.#options;
    return resume === undefined ? { token } : { token, resume };
  }

  #onEvent(name: string, payload: unknown): void {
    // Handle `session` before its promise resolves, so that a resume's entries find its answer.
    this.#options.onEvent?.(name, payload);
    if (name !== 'session') return;
    this.session = payload as SessionData;
    this.#isReady(this.session);
  }

  #end(why: string): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.#socket.destroy();
    this.#isRefused(new Error(why));
    for (const resolve of this.#open.values()) resolve('cut');
    this.#open.clear();
    this.#options.onEnd?.(why);
  }
}

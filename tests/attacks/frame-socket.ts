/**
 * Raw bytes over TCP, and WebSocket frames of any form, including invalid ones that no library
 * sends.
 */
import assert from 'node:assert/strict';
import { type Socket, connect as tcpConnect } from 'node:net';
import { upgradeRequest } from '../../services/gateway/src/edge/testing/upgrade-request.ts';
import { poll } from '../support/poll.ts';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const FINAL = 0x80;
const MASKED = 0x80;

/** A TCP connection that sends only what a test sends. */
export class Tcp {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  closed = false;
  readonly openedAt = performance.now();
  /** How long it was open. */
  openMs = 0;

  constructor(url: string, from?: string) {
    const { hostname, port } = new URL(url);
    this.socket = tcpConnect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    this.socket.on('data', (chunk) => this.#chunks.push(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.openMs = performance.now() - this.openedAt;
    });
  }

  write(bytes: string | Uint8Array): boolean {
    return this.closed ? false : this.socket.write(bytes);
  }

  text(): string {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]?.toString('latin1') ?? '';
  }

  /** The status of the first answer; undefined if the connection closed without one. */
  async status(timeoutMs = 20_000): Promise<number | undefined> {
    await poll('an answer or the end', () => this.closed || this.text().includes('\r\n\r\n'), { timeoutMs });
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(this.text())?.[1];
    return status === undefined ? undefined : Number(status);
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Sends one HTTP request as bytes. Resolves with its status, or undefined if the connection was
 * closed.
 */
export async function sendBytes(url: string, ...parts: Array<string | Uint8Array>): Promise<number | undefined> {
  const tcp = new Tcp(url);
  for (const part of parts) tcp.write(part);
  const status = await tcp.status();
  tcp.close();
  return status;
}

export interface FrameOptions {
  final?: boolean;
  masked?: boolean;
  /** A false length for the header. */
  length?: number;
}

/** A masked client frame. The mask is 0, so the payload stays readable. */
export function frame(opcode: number, payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { final = true, masked = true } = options;
  const bytes = Buffer.from(payload as string);
  const length = options.length ?? bytes.length;
  const head = Buffer.alloc(14);
  let at = 2;
  head[0] = (final ? FINAL : 0) | opcode;
  if (length <= 125) head[1] = length;
  else if (length <= 65_535) {
    head[1] = 126;
    at = head.writeUInt16BE(length, at);
  } else {
    head[1] = 127;
    at = head.writeBigUInt64BE(BigInt(length), at);
  }
  if (masked) {
    head[1] = (head[1] as number) | MASKED;
    at += 4;
  }
  return Buffer.concat([head.subarray(0, at), bytes]);
}

/** A WebSocket whose frames a test writes itself. It answers Engine.IO's pings. */
export class FrameSocket {
  readonly texts: string[] = [];
  pongs = 0;
  closeCode: number | undefined;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #ended = false;

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = tcpConnect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ended = true;
    });
    this.#socket.write(upgradeRequest());
  }

  static async open(url: string): Promise<FrameSocket> {
    const socket = new FrameSocket(url);
    await poll('OPEN', () => socket.closed || socket.texts.some((text) => text.startsWith('0{')), { everyMs: 1 });
    assert(!socket.closed, 'no WebSocket');
    return socket;
  }

  static async connect(url: string, token: string): Promise<FrameSocket> {
    const socket = await FrameSocket.open(url);
    socket.send(`40${JSON.stringify({ token })}`);
    await socket.text((text) => text.startsWith('42["session"'));
    return socket;
  }

  get closed(): boolean {
    return this.#ended || this.closeCode !== undefined;
  }

  /** True if the kernel accepted everything. */
  write(bytes: Uint8Array): boolean {
    return this.#ended ? false : this.#socket.write(bytes);
  }

  send(text: string): boolean {
    return this.write(frame(OPCODE.text, text));
  }

  /** Waits for a text. @returns undefined if the WebSocket closes first */
  async textOrEnd(matches: (text: string) => boolean, timeoutMs = 20_000): Promise<string | undefined> {
    const found = () => this.texts.find(matches);
    await poll('a text or the end', () => this.closed || found() !== undefined, { timeoutMs, everyMs: 1 });
    return found();
  }

  async text(matches: (text: string) => boolean): Promise<string> {
    return (await this.textOrEnd(matches)) ?? assert.fail(`closed with ${this.closeCode}: ${this.texts.at(-1)}`);
  }

  /** Sends a request. @returns its acknowledgement, undefined if the WebSocket closes first */
  async ask(id: number, event: string, payload: object): Promise<string | undefined> {
    this.send(`42${id}${JSON.stringify([event, payload])}`);
    return this.textOrEnd((text) => text.startsWith(`43${id}[`));
  }

  async ended(timeoutMs = 20_000): Promise<void> {
    await poll('the end of the WebSocket', () => this.closed, { timeoutMs });
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  close(): void {
    this.#socket.destroy();
  }
  /** Closes it after all written data. */
  end(): void {
    this.#ended = true;
    this.#socket.end();
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end >= 0) {
        this.#upgraded = bytes.toString('latin1', 0, 12) === 'HTTP/1.1 101';
        bytes = bytes.subarray(end + 4);
        if (!this.#upgraded) this.#socket.destroy();
      }
    }
    while (this.#upgraded && bytes.length >= 2) {
      const short = (bytes[1] as number) & 0x7f;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < start) break;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < start + length) break;
      this.#take((bytes[0] as number) & 0x0f, bytes.subarray(start, start + length));
      bytes = bytes.subarray(start + length);
    }
    this.#rest = bytes;
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.text) {
      const text = payload.toString();
      if (text === '2') this.send('3');
      else this.texts.push(text);
    } else if (opcode === OPCODE.pong) this.pongs++;
    else if (opcode === OPCODE.close) this.closeCode = payload.length < 2 ? 1_005 : payload.readUInt16BE(0);
  }
}

/** Engine.IO and HTTP by hand, for input that no proper client sends. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { encode, socketUrl } from '@maru/testkit/codec/packets';
import { poll } from './poll.ts';

/** A WebSocket that sends only what a test sends, and answers pings. */
export class RawSocket {
  readonly frames: string[] = [];
  #socket: WebSocket;
  closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const frame = typeof data === 'string' ? data : '<binary>';
      // Without an answer to pings the server would end the connection.
      if (frame === '2') socket.send(encode.pong());
      else this.frames.push(frame);
    });
    socket.addEventListener('close', () => {
      this.closed = true;
    });
    socket.addEventListener('error', () => {
      this.closed = true;
    });
  }

  /** Opens the transport and waits for Engine.IO's handshake. */
  static async open(endpoint: string): Promise<RawSocket> {
    const raw = new RawSocket(new WebSocket(socketUrl(endpoint)));
    await raw.frame((frame) => frame.startsWith('0{'));
    return raw;
  }

  /** Opens, signs in and waits for the session. */
  static async connect(endpoint: string, token: string): Promise<RawSocket> {
    const raw = await RawSocket.open(endpoint);
    raw.send(encode.connect({ token }));
    await raw.frame((frame) => frame.startsWith('42["session"'));
    return raw;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (!this.closed) this.#socket.send(frame);
  }

  /** Waits for a frame. Fails if the transport closes first. */
  async frame(matches: (frame: string) => boolean): Promise<string> {
    return poll('a frame', () => {
      const found = this.frames.find(matches);
      assert(found !== undefined || !this.closed, 'the transport was closed');
      return found;
    });
  }

  /** Waits for a frame. @returns undefined if the transport closes first */
  async frameOrEnd(matches: (frame: string) => boolean): Promise<string | undefined> {
    const outcome = await poll(
      'a frame or the end',
      () => this.frames.find(matches) ?? (this.closed ? 'closed' : undefined),
    );
    return outcome === 'closed' ? undefined : outcome;
  }

  close(): void {
    this.#socket.close();
  }
}

export interface RawResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** An HTTP request with unchanged path and headers. A successful upgrade returns status 101. */
export function rawRequest(
  endpoint: string,
  options: { path: string; method?: string; headers?: Record<string, string>; body?: string; localAddress?: string },
): Promise<RawResponse> {
  const { hostname, port } = new URL(endpoint);
  const { path, method = 'GET', headers, localAddress } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path, method, headers, localAddress, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    });
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('no answer in 10 s')));
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

/** The first request of a transport, as a browser page on `origin` sends it. */
export function handshake(
  endpoint: string,
  options: { transport: 'polling' | 'websocket'; origin?: string; host?: string },
): Promise<RawResponse> {
  const headers: Record<string, string> = {};
  if (options.origin !== undefined) headers.origin = options.origin;
  if (options.host !== undefined) headers.host = options.host;
  if (options.transport === 'websocket')
    Object.assign(headers, {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
    });
  return rawRequest(endpoint, { path: `/socket.io/?EIO=4&transport=${options.transport}`, headers });
}

/** A reverse proxy in front of a gateway that rewrites request headers, with WebSocket. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReverseProxy {
  url: string;
  /** Handshakes that passed, of both transports. */
  readonly handshakes: number;
  close(): void;
}

export async function startReverseProxy(target: string, headers: IncomingHttpHeaders): Promise<ReverseProxy> {
  let handshakes = 0;
  const forward = (incoming: IncomingMessage) => {
    if (incoming.url?.includes('/socket.io/') && !incoming.url.includes('sid=')) handshakes++;
    const { hostname, port } = new URL(target);
    const { method, url: path } = incoming;
    return request({ hostname, port, method, path, headers: { ...incoming.headers, ...headers }, agent: false });
  };
  const server = createServer((incoming, outgoing) => {
    const forwarded = forward(incoming);
    forwarded.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.on('upgrade', (incoming, socket) => {
    const forwarded = forward(incoming);
    socket.on('error', () => forwarded.destroy());
    forwarded.on('error', () => socket.destroy());
    forwarded.on('response', (answer) => {
      socket.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`);
      answer.pipe(socket);
    });
    forwarded.on('upgrade', (answer, upstream) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.on('error', () => socket.destroy());
      upstream.pipe(socket).pipe(upstream);
    });
    forwarded.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get handshakes() {
      return handshakes;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Health and metrics on a separate port, which the public edge does not expose. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface OpsServer {
  /** The bound port, which differs from the option if that is 0. */
  port: number;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` (the process answers, independent of other services), `/readyz` (200 while
 * `isReady`, else 503) and `/metrics`. Anything else is 404.
 */
export async function startOpsServer(options: {
  host: string;
  port: number;
  registry: Registry;
  isReady: () => boolean;
}): Promise<OpsServer> {
  const server = createServer((request, response) => {
    const reply = (status: number, body: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return reply(200, 'ok\n');
    if (path === '/readyz') return options.isReady() ? reply(200, 'ready\n') : reply(503, 'not ready\n');
    if (path === '/metrics') {
      options.registry.metrics().then(
        (text) => reply(200, text, options.registry.contentType),
        () => reply(500, 'metrics could not be collected\n'),
      );
      return;
    }
    reply(404, 'not found\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

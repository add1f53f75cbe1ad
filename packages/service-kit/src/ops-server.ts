/** Health and metrics on a port of their own, which the public edge never reaches. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface OpsServer {
  /** The port that was bound; useful where 0 was asked for. */
  port: number;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` (the process answers; never depends on another service), `/readyz` (200 while `isReady`, else 503) and
 * `/metrics`. Anything else is 404.
 */
export async function startOpsServer(options: {
  host: string;
  port: number;
  registry: Registry;
  isReady: () => boolean;
}): Promise<OpsServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return answer(200, 'ok\n');
    if (path === '/readyz') return options.isReady() ? answer(200, 'ready\n') : answer(503, 'not ready\n');
    if (path === '/metrics') {
      options.registry.metrics().then(
        (text) => answer(200, text, options.registry.contentType),
        () => answer(500, 'metrics could not be collected\n'),
      );
      return;
    }
    answer(404, 'not found\n');
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

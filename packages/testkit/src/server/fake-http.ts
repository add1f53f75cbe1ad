/** The HTTP calls of the fake server: guests, and figures by Prometheus remote write. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  { newGuest, onRemoteWrite }: { newGuest(): string; onRemoteWrite(): void },
): void {
  const { url = '' } = request;
  if (url.startsWith('/socket.io/')) return;
  if (url === '/api/v1/guests') {
    const token = newGuest();
    response.writeHead(201).end(JSON.stringify({ token, user: { id: token, name: token } }));
  } else if (url === '/api/v1/write') {
    if (request.headers['content-encoding'] === 'snappy') onRemoteWrite();
    response.writeHead(204).end();
  } else response.writeHead(404).end('{}');
}

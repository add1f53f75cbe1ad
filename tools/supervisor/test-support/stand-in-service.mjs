/**
 * A fake gateway or presence for the supervisor's tests: answers with its name, reports that it is
 * ready, and obeys signals.
 */
import { createServer } from 'node:http';

const { MARU_NODE, MARU_HOST, MARU_LISTEN_PORT, MARU_OPS_PORT, STAND_IN_FAILS, STAND_IN_IGNORES } = process.env;

if (STAND_IN_FAILS === MARU_NODE) {
  console.log('{"level":"fatal","msg":"this one fails on request"}');
  process.exit(3);
}

createServer((request, response) => {
  response.setHeader('x-node', String(MARU_NODE));
  if (request.url?.startsWith('/api/v1/headers')) response.end(JSON.stringify(request.headers));
  else if (request.url?.startsWith('/api/v1/slow')) setTimeout(() => response.end('slow'), 1_500);
  else response.end(String(MARU_NODE));
}).listen(Number(MARU_LISTEN_PORT), MARU_HOST);
createServer((request, response) => {
  response.writeHead(request.url === '/readyz' ? 200 : 404).end();
}).listen(Number(MARU_OPS_PORT), MARU_HOST);

if (STAND_IN_IGNORES === MARU_NODE) {
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
} else {
  process.on('SIGTERM', () => setTimeout(() => process.exit(0), 300));
  process.on('SIGINT', () => process.exit(0));
}
process.on('disconnect', () => process.exit(0));
console.log(`{"level":"info","node":"${MARU_NODE}","msg":"listening"}`);

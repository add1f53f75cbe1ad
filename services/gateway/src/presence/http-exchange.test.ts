import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { exchange } from './http-exchange.ts';

let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
const server = createServer((request, response) => answer(request, response));
const sockets = new Set<Socket>();
server.on('connection', (socket) => sockets.add(socket));
let url = '';

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const get = { method: 'GET', headers: {}, body: undefined, deadlineMs: 2_000 } as const;

test('returns complete answers of any status and reuses the connection', async () => {
  answer = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.writeHead(409).write(`${request.method} ${request.url} `);
    response.end(`${request.headers['x-a']} ${body}`);
  };
  for (const text of ['하나', 'two']) {
    const received = await exchange(`${url}/p`, { ...get, method: 'POST', headers: { 'x-a': 'b' }, body: text });
    assert.deepEqual(received, { status: 409, text: `POST /p b ${text}` });
  }
  assert.equal(sockets.size, 1);
});

test('rejects in time without an answer, with half an answer, and on a closed connection', async () => {
  answer = () => {};
  await assert.rejects(exchange(url, { ...get, deadlineMs: 50 }), /no answer within 50 ms/);
  answer = (_, response) => void response.writeHead(200, { 'content-length': '10' }).write('half');
  await assert.rejects(exchange(url, { ...get, deadlineMs: 100 }));
  answer = (request) => request.socket.destroy();
  await assert.rejects(exchange(url, get));
  await assert.rejects(exchange('http://127.0.0.1:9', get), { code: 'ECONNREFUSED' });
});

test('rejects at once when the server switches the protocol', { timeout: 5_000 }, async () => {
  answer = (_, response) => {
    response.writeHead(101, { connection: 'upgrade', upgrade: 'other' });
    response.end();
  };
  await assert.rejects(exchange(url, get), /switched the protocol/);
});

test('repeats the request when a reused connection turns out to be closed', async () => {
  answer = (_, response) => response.end('here');
  await exchange(url, get);
  // The server closes a reused connection when the next request arrives.
  const used = new Set(sockets);
  answer = (request, response) => (used.has(request.socket) ? request.socket.destroy() : response.end('again'));
  assert.deepEqual(await exchange(url, get), { status: 200, text: 'again' });
});

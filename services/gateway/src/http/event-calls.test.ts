/** What a call passes to the event handlers, and whether its answer is sent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createLogger } from '@maru/service-kit';
import express from 'express';
import type { Caller, CallHandlers } from '../requests/handler.ts';
import { routerOf } from './calls.ts';
import { eventRoutes } from './event-calls.ts';
import { createErrorHandler } from './problem.ts';

const mina = { user: { id: 'mina', name: 'Mina' }, roles: ['admin'], expiresAtS: 1e9, issuedAtS: 1 };

/** An API whose handlers answer with the event and the request. */
async function start(t: { after(work: () => void): void }) {
  const state = { revoked: false, charges: [] as number[], callers: [] as Caller[] };
  const gate = { open: true, reopened: Promise.resolve() };
  const handlers = new Proxy({} as CallHandlers, {
    get: (_, event: string) => async (caller: Caller, request: object) => {
      state.callers.push(caller);
      caller.charge(65_536 * 3);
      return { data: { event, request } };
    },
  });
  const routes = eventRoutes({
    handlers,
    verify: async () => mina,
    isRevoked: () => state.revoked,
    userLimit: { take: () => 0, charge: (_, count) => void state.charges.push(count) },
    gate: { isOpen: () => gate.open, whenOpen: () => gate.reopened },
  });
  const app = express().set('query parser', 'simple').use(express.json(), routerOf(routes));
  app.use(createErrorHandler(createLogger({ service: 'test', node: 'n', level: 'silent' })));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const send = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'key' };
    const more = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...more });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { state, gate, send };
}

test('the path, the method and the header take precedence over the body and the query', async (t) => {
  const { send } = await start(t);
  const forged = { room: 'other', seq: 99, emoji: 'x', active: false, clientMsgId: 'forged', text: 'tea', limit: 3 };
  const event = 'message:react';
  const reacted = { event, request: { room: 'tea', seq: 7, clientMsgId: 'key', emoji: '☕', active: true } };
  assert.deepEqual((await send('PUT', '/rooms/tea/messages/7/reactions/%E2%98%95', forged)).body, reacted);
  const taken = await send('DELETE', '/rooms/tea/messages/7/reactions/%E2%98%95?active=true&seq=1&clientMsgId=x');
  assert.deepEqual(taken.body, { event, request: { ...reacted.request, active: false } });
  const edited = await send('PATCH', '/rooms/tea/messages/7', forged);
  assert.deepEqual(edited.body.request, { room: 'tea', seq: 7, clientMsgId: 'key', text: 'tea' });
});

test('numbers in a query are parsed, and a numeric cursor stays text', async (t) => {
  const { send } = await start(t);
  const page = await send('GET', '/rooms/tea/messages?view=messages&around=5&thread=2&limit=10');
  assert.deepEqual(page.body, { event: 'messages:read', request: { room: 'tea', around: 5, thread: 2, limit: 10 } });
  const pinned = await send('GET', '/rooms/tea/messages?view=messages&pinned=true');
  assert.deepEqual(pinned.body.request, { room: 'tea', pinned: true, limit: 50 });
  assert.deepEqual((await send('GET', '/me/rooms?cursor=123')).body.request, { cursor: '123', limit: 50 });
  assert.equal((await send('GET', '/rooms/tea/messages?view=messages&pinned=false')).status, 400);
});

test('a handler gets the user and roles of the token, and the answer is charged to the user', async (t) => {
  const { state, send } = await start(t);
  await send('GET', '/rooms/tea/members');
  const [caller] = state.callers;
  assert(caller !== undefined);
  assert.deepEqual([caller.user, caller.roles, caller.revoked, state.charges], [mina.user, mina.roles, false, [3]]);
  state.revoked = true;
  assert.equal(caller.revoked, true);
});

test('a user who was revoked while the process was paused gets no answer', async (t) => {
  const { state, gate, send } = await start(t);
  let reopen = () => {};
  gate.open = false;
  gate.reopened = new Promise((resolve) => {
    reopen = resolve;
  });
  const asked = send('GET', '/rooms/tea/members');
  while (state.callers.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  state.revoked = true;
  reopen();
  const { status, body } = await asked;
  assert.deepEqual([status, body.code], [401, 'unauthenticated']);
});

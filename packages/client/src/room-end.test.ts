import assert from 'node:assert/strict';
import { after, afterEach, before, it } from 'node:test';
import { fakeError } from '@maru/testkit/server/answers';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClient, createChatClient } from './chat-client.ts';
import type { OutgoingMessage } from './events.ts';

const BOT = { id: 'bot', name: 'Bot' };

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let cluster: FakeServer;
const open: ChatClient[] = [];
let rooms = 0;
const newRoom = () => `room-${++rooms}`;

before(async () => {
  cluster = await startFakeServer();
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
  cluster.faults.refuseSends = null;
  cluster.faults.resumeEntriesMax = 1_000;
});
after(() => cluster.close());

function start(name: string) {
  const client = createChatClient({ url: cluster.url, getToken: () => name, probeAfterMs: 50, requestTimeoutMs: 150 });
  open.push(client);
  const seqs: number[] = [];
  const happened: string[] = [];
  const outgoing = new Map<string, OutgoingMessage>();
  client.on('entries', ({ entries }) => void seqs.push(...entries.map(({ seq }) => seq)));
  client.on('room', ({ status }) => void happened.push(status));
  client.on('outgoing', (message) => void outgoing.set(message.clientMsgId, message));
  client.connect();
  return { client, seqs, happened, outgoing };
}

it('stays out of a room after a removal, also on the next connection, and fails its waiting messages', async () => {
  const [room, other] = [newRoom(), newRoom()];
  const { client, happened, outgoing, seqs } = start('mina');
  client.join(room);
  client.join(other);
  cluster.post(room, BOT, 'x');
  cluster.post(other, BOT, 'x');
  await until('both rooms are there', () => seqs.length === 2);
  cluster.faults.refuseSends = { times: 2, error: fakeError('rate_limited', 60_000) };
  const waiting = [client.send(room, 'one'), client.send(room, 'two'), client.send(other, 'three')];
  cluster.removeAll(room, 'banned');
  await until('the removal was reported', () => happened.includes('removed'));
  const states = () => waiting.map(({ clientMsgId }) => outgoing.get(clientMsgId)?.state);
  const error = { code: 'forbidden', message: 'you are banned from this room', retryable: false };
  assert.deepEqual(states().slice(0, 2), [
    { kind: 'failed', error },
    { kind: 'failed', error },
  ]);
  assert.deepEqual(states()[2], { kind: 'sending' });
  assert.equal(client.details(room), null);
  const joins: string[] = [];
  cluster.onRequest = (event, payload) => {
    if (event === 'room:join') joins.push(payload.room);
  };
  cluster.cutAll();
  await until('the message to the other room is stored', () => states()[2]?.kind === 'stored');
  cluster.onRequest = null;
  assert.deepEqual(Object.keys(cluster.resumes.at(-1) ?? {}), [other]);
  assert.deepEqual(joins, []);
  assert.equal(states()[0]?.kind, 'failed');
});

it('keeps the details of a room up to date, even after missed entries', async () => {
  const room = newRoom();
  const { client, happened, seqs } = start('mina');
  const slowModes: number[] = [];
  client.on('details', ({ details }) => void slowModes.push(details.slowModeS));
  client.join(room, { limit: 1 });
  await until('the room is joined', () => happened.includes('joined'));
  assert.equal(client.details(room)?.role, 'member');
  cluster.postAct(room, BOT, 'room.update', { slowModeS: 5 });
  cluster.postAct(room, BOT, 'room.mute', { user: 'mina' });
  await until('the acts are there', () => client.details(room)?.mutedUntilTs === 0);
  assert.deepEqual(slowModes.at(-1), 5);
  cluster.faults.resumeEntriesMax = 1;
  cluster.cutAll();
  cluster.postAct(room, BOT, 'room.unmute', { user: 'mina' });
  cluster.post(room, BOT, 'x');
  cluster.post(room, BOT, 'y');
  // The fake server does not apply acts, so its next answer shows a room without them.
  await until('the details are read again', () => client.details(room)?.slowModeS === 0);
  assert.equal(client.details(room)?.mutedUntilTs, null);
  assert.equal(seqs.at(-1), 5);
});

import assert from 'node:assert/strict';
import { after, afterEach, before, it } from 'node:test';
import { fakeError } from '@maru/testkit/server/answers';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClient, type ChatClientOptions, createChatClient } from './chat-client.ts';
import type { ClientEvents, OutgoingMessage } from './events.ts';

const BOT = { id: 'bot', name: 'Bot' };

/** Polls for a condition. Fails after five seconds and names what was missing. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let cluster: FakeServer;
const open: ChatClient[] = [];

before(async () => {
  cluster = await startFakeServer();
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
  cluster.faults.refusedTokens.clear();
  cluster.faults.swallowSendAcks = 0;
  cluster.faults.refuseSends = null;
  cluster.faults.resumeEntriesMax = 1_000;
});
after(() => cluster.close());

/** A connected client that records all its events. */
function start(name: string, options: Partial<ChatClientOptions> = {}) {
  const quick = { probeAfterMs: 50, requestTimeoutMs: 150 };
  const client = createChatClient({ url: cluster.url, getToken: () => name, ...quick, ...options });
  open.push(client);
  const seqs: number[] = [];
  const states: string[] = [];
  const happened: string[] = [];
  const outgoing = new Map<string, OutgoingMessage>();
  let people: ClientEvents['presence']['view'] | null = null;
  client.on('entries', ({ entries }) => void seqs.push(...entries.map(({ seq }) => seq)));
  client.on('connection', (state) => void states.push(state.state === 'ended' ? `ended ${state.reason}` : state.state));
  client.on('gap', ({ reason }) => void happened.push(`gap ${reason}`));
  client.on('rollback', ({ head }) => void happened.push(`rollback ${head}`));
  client.on('room', ({ status }) => void happened.push(status));
  client.on('outgoing', (message) => void outgoing.set(message.clientMsgId, message));
  client.on('presence', ({ view }) => {
    people = view;
  });
  client.connect();
  return { client, seqs, states, happened, outgoing, people: () => people };
}
let rooms = 0;
const newRoom = () => `room-${++rooms}`;
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

it('joins, sends, and shows every entry once, including its own', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'before');
  const { client, seqs, outgoing } = start('mina');
  client.join(room);
  const { clientMsgId } = client.send(room, 'hello');
  await until(
    'the message is stored and shown',
    () => seqs.length === 2 && outgoing.get(clientMsgId)?.state.kind === 'stored',
  );
  assert.deepEqual(seqs, [1, 2]);
  assert.equal(cluster.log(room)[1]?.text, 'hello');
  assert.deepEqual(client.pending(), []);
});

it('resumes after a lost connection without missing entries', async () => {
  const room = newRoom();
  const { client, seqs, states } = start('mina');
  client.join(room);
  for (let i = 0; i < 3; i++) cluster.post(room, BOT, 'x');
  await until('the first three are there', () => seqs.length === 3);
  cluster.cutAll();
  for (let i = 0; i < 4; i++) cluster.post(room, BOT, 'missed');
  await until('all are there', () => seqs.length === 7);
  assert.deepEqual(seqs, upTo(7));
  assert.deepEqual(cluster.resumes.at(-1), { [room]: { epoch: cluster.log(room)[0]?.epoch, seq: 3 } });
  assert.deepEqual(states, ['connecting', 'connected', 'connecting', 'connected']);
});

it('sends again with the same id if no answer comes, and keeps the order', async () => {
  const room = newRoom();
  const { client, outgoing } = start('mina');
  client.join(room);
  cluster.faults.swallowSendAcks = 1;
  const sent = ['one', 'two', 'three'].map((text) => client.send(room, text).clientMsgId);
  await until('all are stored', () => sent.every((id) => outgoing.get(id)?.state.kind === 'stored'));
  assert.deepEqual(
    cluster.log(room).map(({ text }) => text),
    ['one', 'two', 'three'],
  );
});

it('holds later messages while an earlier one is refused temporarily', async () => {
  const room = newRoom();
  const { client, outgoing } = start('mina');
  client.join(room);
  cluster.faults.refuseSends = { times: 2, error: fakeError('rate_limited', 50) };
  const sent = ['one', 'two', 'three'].map((text) => client.send(room, text).clientMsgId);
  await until('all are stored', () => sent.every((id) => outgoing.get(id)?.state.kind === 'stored'));
  assert.deepEqual(
    cluster.log(room).map(({ text }) => text),
    ['one', 'two', 'three'],
  );
});

it('reports why a message failed, and sends it again on request', async () => {
  const room = newRoom();
  const { client, outgoing } = start('mina');
  client.join(room);
  cluster.faults.refuseSends = { times: 1, error: fakeError('forbidden') };
  const { clientMsgId } = client.send(room, 'hello');
  await until('it failed', () => outgoing.get(clientMsgId)?.state.kind === 'failed');
  client.retry(clientMsgId);
  await until('it is stored', () => outgoing.get(clientMsgId)?.state.kind === 'stored');
  assert.equal(cluster.log(room)[0]?.clientMsgId, clientMsgId);
});

it('sends messages written while offline once after reconnecting', async () => {
  const room = newRoom();
  const { client, seqs } = start('mina');
  client.join(room);
  client.send(room, 'one');
  await until('the first is there', () => seqs.length === 1);
  cluster.cutAll();
  client.send(room, 'two');
  client.send(room, 'three');
  await until('all are there', () => seqs.length === 3);
  assert.deepEqual(
    cluster.log(room).map(({ text }) => text),
    ['one', 'two', 'three'],
  );
});

it('reads lost live entries from the log', async () => {
  const room = newRoom();
  const { client, seqs, happened } = start('mina');
  client.join(room);
  await until('the room is joined', () => happened.includes('joined'));
  cluster.faults.loseEntries = 3;
  for (let i = 0; i < 5; i++) cluster.post(room, BOT, 'x');
  await until('all are there', () => seqs.length === 5);
  assert.deepEqual(seqs, upTo(5));
  assert.deepEqual(happened, ['joining', 'joined']);
});

it('shows a gap and the newest entries after a long absence', async () => {
  const room = newRoom();
  const { client, seqs, happened } = start('mina');
  client.join(room, { limit: 2 });
  cluster.post(room, BOT, 'x');
  await until('the first is there', () => seqs.length === 1);
  cluster.faults.resumeEntriesMax = 3;
  cluster.cutAll();
  for (let i = 0; i < 9; i++) cluster.post(room, BOT, 'missed');
  await until('the newest is there', () => seqs.at(-1) === 10);
  assert.deepEqual(seqs, [1, 9, 10]);
  assert.ok(happened.includes('gap too_far'));
});

it('reports a rollback and continues after it', async () => {
  const room = newRoom();
  const { client, seqs, happened } = start('mina');
  client.join(room);
  for (let i = 0; i < 4; i++) cluster.post(room, BOT, 'x');
  await until('four are there', () => seqs.length === 4);
  cluster.rollBack(room, 2);
  cluster.post(room, BOT, 'anew');
  await until('the new one is there', () => seqs.length === 5);
  assert.deepEqual(seqs, [1, 2, 3, 4, 3]);
  assert.deepEqual(happened, ['joining', 'joined', 'rollback 2']);
});

it('reconnects when the server asks, after the named delay', async () => {
  const room = newRoom();
  const { client, seqs, happened } = start('mina');
  client.join(room);
  await until('the room is joined', () => happened.includes('joined'));
  const before = cluster.resumes.length;
  const askedAtMs = Date.now();
  cluster.notice({ code: 'draining', reconnectInMs: 150 });
  await until('it has moved', () => cluster.resumes.length > before);
  assert.ok(Date.now() - askedAtMs >= 145);
  cluster.post(room, BOT, 'after');
  await until('it goes on', () => seqs.length === 1);
  assert.equal(cluster.connections(), 1);
});

it('reports degraded while the store is unavailable', async () => {
  const { states } = start('mina');
  await until('it is connected', () => states.includes('connected'));
  cluster.notice({ code: 'degraded' });
  cluster.notice({ code: 'recovered' });
  await until('it is well again', () => states.length === 4);
  assert.deepEqual(states, ['connecting', 'connected', 'degraded', 'connected']);
});

it('requests one new token if the old one is refused', async () => {
  cluster.faults.refusedTokens.add('old');
  const asked: boolean[] = [];
  const { states } = start('mina', {
    getToken: ({ refresh }) => {
      asked.push(refresh);
      return refresh ? 'new' : 'old';
    },
  });
  await until('it is connected', () => states.includes('connected'));
  assert.deepEqual(asked, [false, true]);
});

it('ends if the new token is also refused', async () => {
  cluster.faults.refusedTokens.add('bad');
  const { states } = start('mina', { getToken: () => 'bad' });
  await until('it ended', () => states.includes('ended unauthenticated'));
});

it('does not reconnect after a revocation', async () => {
  const { states } = start('mina');
  await until('it is connected', () => states.includes('connected'));
  cluster.dismissAll('revoked');
  await until('it ended', () => states.includes('ended revoked'));
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(cluster.connections(), 0);
});

it('reports why a room refuses it, and a removal', async () => {
  const room = newRoom();
  const { client, happened } = start('mina');
  client.join('p-hidden');
  client.join(room);
  await until('both are answered', () => happened.includes('refused') && happened.includes('joined'));
  cluster.removeAll(room, 'kicked');
  await until('the removal was reported', () => happened.includes('removed'));
});

it('shows presence, also after a reconnect', async () => {
  const room = newRoom();
  const mina = start('mina');
  const joon = start('joon');
  mina.client.join(room, { presence: true });
  joon.client.join(room, { presence: true });
  const ids = () => [...(mina.people()?.users?.keys() ?? [])].sort();
  await until('both are seen', () => ids().join() === 'joon,mina');
  joon.client.leave(room);
  await until('one has left', () => ids().join() === 'mina');
  cluster.cutAll();
  joon.client.join(room, { presence: true });
  await until('both are seen again', () => ids().join() === 'joon,mina');
});

it('refuses a send if the outbox is full or the text is invalid', () => {
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina' });
  for (let i = 0; i < 200; i++) client.send('lobby', 'x');
  assert.throws(() => client.send('lobby', 'x'), { code: 'unavailable' });
  assert.throws(() => client.send('lobby', '  '), { code: 'invalid' });
  assert.throws(() => client.send('lobby', 'x'.repeat(4_001)), { code: 'too_large' });
  assert.throws(() => client.join('No Such'), { code: 'invalid' });
  client.close();
});

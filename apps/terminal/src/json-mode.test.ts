/** The JSON mode in this process, against the fake server. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakeError } from '@maru/testkit/server/answers';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { runJson } from './json-mode.ts';

type Told = Record<string, unknown> & { type: string };

let server: FakeServer;
const inputs: PassThrough[] = [];
before(async () => {
  server = await startFakeServer();
});
afterEach(() => {
  for (const input of inputs.splice(0)) input.end();
  Object.assign(server.faults, { refuseSends: null });
});
after(() => server.close());

let rooms = 0;
const newRoom = () => `json-${++rooms}`;
const robot = { id: 'robot', name: 'robot' };

function start(room: string) {
  const input = new PassThrough();
  inputs.push(input);
  const told: Told[] = [];
  const print = (line: string) => void told.push(JSON.parse(line));
  const code = runJson({ url: server.url, room, history: 10, token: 'robot' }, { input, print });
  const of = (type: string) => told.filter((event) => event.type === type);
  const tells = async (type: string, count = 1) => {
    const deadline = Date.now() + 30_000;
    while (of(type).length < count) {
      if (Date.now() > deadline) assert.fail(`waited in vain for ${type}: ${JSON.stringify(told.slice(-5))}`);
      await sleep(5);
    }
  };
  return { input, told, code, of, tells };
}

/** The exit code; fails after a minute. Hundreds of messages take seconds on a busy machine. */
const within = (code: Promise<number>) =>
  Promise.race([code, sleep(60_000, undefined, { ref: false }).then(() => assert.fail('it does not end'))]);

test('stores more lines than the outbox takes, in order', async () => {
  const room = newRoom();
  const { input, code, of } = start(room);
  const texts = Array.from({ length: 400 }, (_, i) => `line ${i + 1}`);
  input.end(`${texts.join('\n')}\n`);
  assert.equal(await within(code), 0);
  assert.deepEqual(
    server.log(room).map(({ text }) => text),
    texts,
  );
  assert.deepEqual([of('stored').length, of('error').length], [400, 0]);
  assert.deepEqual(
    of('queued').map(({ line }) => line),
    texts.map((_, i) => i + 1),
  );
});

test('failed messages make no room scarce for later ones, and are named', async () => {
  server.faults.refuseSends = { times: 250, error: fakeError('forbidden') };
  const { input, code, of } = start(newRoom());
  input.end('again\n'.repeat(300));
  assert.equal(await within(code), 1);
  assert.deepEqual([of('failed').length, of('stored').length, of('error').length], [250, 50, 0]);
  const queued = new Set(of('queued').map(({ clientMsgId }) => clientMsgId));
  for (const { clientMsgId, code: why } of of('failed'))
    assert.ok(queued.has(clientMsgId) && why === 'forbidden', String(clientMsgId));
});

test('a line that cannot be sent is named, and the exit code is 1', async () => {
  const { input, code, of } = start(newRoom());
  input.end(`fine\n\n${'x'.repeat(4_001)}\n`);
  assert.equal(await within(code), 1);
  assert.deepEqual(
    of('error').map(({ line, code: why }) => [line, why]),
    [[3, 'too_large']],
  );
  assert.equal(of('stored').length, 1);
});

test('requests before the end of the input are answered', async () => {
  const room = newRoom();
  for (const text of ['one', 'two', 'three']) server.post(room, robot, text);
  const { input, code, of, told } = start(room);
  const requests = [
    { type: 'history', limit: 2 },
    { type: 'search', query: 'two' },
    { type: 'edit', seq: 1, text: 'first' },
    { type: 'delete', seq: 3 },
  ];
  input.end(requests.map((request) => JSON.stringify(request)).join('\n'));
  assert.equal(await within(code), 0, JSON.stringify(told));
  assert.equal((of('history')[0]?.messages as unknown[] | undefined)?.length, 2);
  assert.deepEqual(
    of('found').map(({ messages }) => (messages as Array<{ seq: number }>).map(({ seq }) => seq)),
    [[2]],
  );
  assert.deepEqual(
    server.log(room).map(({ type }) => type),
    ['text', 'text', 'text', 'message.edit', 'message.delete'],
  );
  assert.deepEqual(
    ['history', 'found', 'edited', 'deleted'].map((type) => of(type)[0]?.line),
    [1, 2, 3, 4],
  );
});

test('a refused request is named, and the exit code is 1', async () => {
  const { input, code, of } = start(newRoom());
  input.end('{"type":"edit","seq":9,"text":"x"}\n{"type":"delete"}\n{"type":"dance"}\n');
  assert.equal(await within(code), 1);
  const errors = of('error').map(({ line, code: why }) => [line, why]);
  assert.deepEqual(errors.toSorted(), [
    [1, 'not_found'],
    [2, 'invalid'],
    [3, 'invalid'],
  ]);
});

test('after the end of the session it closes the input and takes no more lines', async () => {
  const room = newRoom();
  const { input, code, told, tells } = start(room);
  input.write('before\n');
  await tells('stored');
  server.dismissAll('revoked');
  assert.equal(await within(code), 1);
  assert.equal(told.at(-1)?.type, 'ended');
  const { length } = told;
  input.write('after\n');
  await sleep(50);
  assert.ok(input.isPaused(), 'the input is still read');
  assert.deepEqual([told.length, server.log(room).length], [length, 1]);
});

test('tells why the user is not in the room', async () => {
  const { code, input, of, tells } = start('p-hidden');
  await tells('room');
  assert.deepEqual(
    of('room').map(({ room, status, error }) => [room, status, (error as { code: string }).code]),
    [['p-hidden', 'refused', 'not_found']],
  );
  input.end();
  assert.equal(await within(code), 0);
});

test('tells of the room, of skipped entries, of epochs and of notices', async () => {
  const room = newRoom();
  for (const text of ['one', 'two', 'three']) server.post(room, robot, text);
  const { input, code, of, tells } = start(room);
  await tells('entry', 3);
  assert.deepEqual(
    of('room').map(({ status, head }) => [status, head]),
    [['joined', 3]],
  );
  server.rollBack(room, 2);
  await tells('epoch');
  assert.deepEqual(
    of('epoch').map(({ room: of, head }) => [of, head]),
    [[room, 2]],
  );
  server.notice({ code: 'degraded' });
  server.notice({ code: 'recovered' });
  await tells('notice', 2);
  assert.equal(of('notice')[0]?.code, 'degraded');
  server.faults.resumeEntriesMax = 1;
  server.cutAll();
  for (let i = 0; i < 30; i++) server.post(room, robot, `missed ${i}`);
  await tells('gap');
  const gap = of('gap')[0] as (Told & { after: { seq: number } }) | undefined;
  assert.deepEqual([gap?.room, gap?.after.seq], [room, 2]);
  server.removeAll(room, 'kicked');
  await tells('room', 2);
  assert.deepEqual([of('room').at(-1)?.status, of('room').at(-1)?.reason], ['removed', 'kicked']);
  input.end();
  assert.equal(await within(code), 0);
});

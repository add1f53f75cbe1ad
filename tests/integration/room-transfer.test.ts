/** Operators import rooms, also from other chat systems, and export them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { repository } from '../support/cluster.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type PersonalRig, startPersonalRig } from './personal-setup.ts';

let rig: PersonalRig;
before(async () => {
  rig = await startPersonalRig();
});
after(() => rig?.stop());

interface Result {
  code: number | null;
  out: string;
  error: string;
}

async function run(command: string, args: string[], input = ''): Promise<Result> {
  const child = spawn(process.execPath, [`services/archiver/src/admin/${command}.ts`, ...args], {
    cwd: repository,
    env: { ...process.env, MARU_REDIS_URL: rig.site.redis.url, MARU_POSTGRES_URL: rig.postgresUrl },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code, out, error };
}

const lines = (values: object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** Entries of another chat system: only what a converter must know. */
const chat = (count: number, mark = '') =>
  Array.from({ length: count }, (_, index) => ({
    ts: 1_700_000_000_000 + index,
    from: { id: index % 2 === 0 ? 'mina' : 'jun', name: 'Somebody' },
    text: `${mark}message ${index + 1}`,
  }));

const rowsOf = (room: string) =>
  rig.archive.read((tx) => tx.query<{ n: number }>('SELECT count(*) AS n FROM entries WHERE room = $1', [room]));

test('an imported room can be joined, read and continued', async () => {
  const room = newRoom('import');
  const imported = await run('import-room', ['--room', room, '--title', 'Old tea', '--owner', 'mina'], lines(chat(30)));
  assert.deepEqual([imported.code, imported.out], [0, `${room}\n`], imported.error);
  const client = await rig.enter('jun');
  const joined = await client.ok('room:join', { room, limit: 10 });
  assert.deepEqual([joined.head, joined.n, joined.first, joined.title], [30, 30, 1, 'Old tea']);
  assert.deepEqual(
    joined.messages.map((message) => message.text),
    chat(30)
      .slice(-10)
      .map((line) => line.text),
  );
  const sent = await client.ok('message:send', { room, clientMsgId: newId(), text: 'new' });
  assert.deepEqual([sent.seq, sent.n], [31, 31]);
  // Imported messages can be changed by their author like others.
  await client.ok('message:edit', { room, seq: 30, clientMsgId: newId(), text: 'changed' });
  const mina = await rig.enter('mina', 1);
  await mina.ok('room:update', { room, clientMsgId: newId(), topic: 'The owner may' });
  await rig.untilArchived();
  const { messages } = await mina.ok('history:read', { room, limit: 200 });
  assert.deepEqual([messages.length, messages[29]?.text], [33, 'changed']);
});

test('a second import is refused, also with another file', async () => {
  const room = newRoom('import');
  const file = lines(chat(3));
  assert.equal((await run('import-room', ['--room', room], file)).code, 0);
  for (const again of [file, lines(chat(4))]) {
    const { code, error } = await run('import-room', ['--room', room], again);
    assert.equal(code, 2);
    assert.match(error, /room with this id/);
  }
  assert.deepEqual(await rowsOf(room), [{ n: 3 }]);
});

test('an invalid line is named, and nothing is stored', async () => {
  const room = newRoom('import');
  const broken = chat(4).map((line, index) => (index === 2 ? { ...line, text: '' } : line));
  const { code, error, out } = await run('import-room', ['--room', room], lines(broken));
  assert.deepEqual([code, out], [2, '']);
  assert.match(error, /line 3: text: must not be blank/);
  assert.deepEqual(await rowsOf(room), [{ n: 0 }]);
  assert.equal(await rig.redis.exists(`maru:{${room}}:meta`), 0);
});

test('an import into an existing room is refused', async () => {
  const room = newRoom('import');
  const client = await rig.enter('mina');
  await client.ok('room:create', { room });
  const { code, error } = await run('import-room', ['--room', room], lines(chat(3)));
  assert.equal(code, 2);
  assert.match(error, /a room with this id exists/);
  assert.deepEqual(await rowsOf(room), [{ n: 0 }]);
});

test('an interrupted import continues, and the room is closed until then', async () => {
  const room = newRoom('import');
  const mark = newId();
  const file = lines(chat(2_100, mark));
  // At the second batch, the archive is gone.
  await rig.archive.write((tx) =>
    tx.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.seq = 700 AND NEW.room = '${room}' THEN RAISE 'planted'; END IF; RETURN NEW; END $$`),
  );
  await rig.archive.write((tx) =>
    tx.query('CREATE TRIGGER refuse BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION refuse()'),
  );
  const failed = await run('import-room', ['--room', room], file);
  await rig.archive.write((tx) => tx.query('DROP FUNCTION refuse CASCADE'));
  assert.equal(failed.code, 1);
  assert.match(failed.error, /not finished: .*Run it again/);
  assert.deepEqual(await rowsOf(room), [{ n: 500 }]);
  const client = await rig.enter('mina');
  const refused = (await client.request('room:join', { room })) as { error?: { code: string } };
  assert.equal(refused.error?.code, 'forbidden');

  const { code, error } = await run('import-room', ['--room', room], file);
  assert.equal(code, 0, error);
  assert.deepEqual(await rowsOf(room), [{ n: 2_100 }]);
  assert.equal((await client.ok('room:join', { room })).head, 2_100);
  // Only the archive has these entries.
  const { messages } = await client.ok('history:read', { room, before: 4, limit: 200 });
  assert.deepEqual(
    messages.map((message) => message.text),
    chat(3, mark).map((line) => line.text),
  );
  const found = await client.ok('search', { query: `${mark}message`, room, limit: 3 });
  assert.deepEqual(
    found.messages.map(({ seq }) => seq),
    [2_100, 2_099, 2_098],
  );
});

test('an exported room can be imported as an equal room', async () => {
  const [owner, member] = [`owner-${newId()}`, `member-${newId()}`];
  const [client, other] = [await rig.enter(owner), await rig.enter(member, 1)];
  const { room } = await client.ok('room:create', { visibility: 'private', title: 'Secret tea' });
  await client.ok('room:invite', { room, user: member });
  const about = (seq: number, more: object) => ({ room, seq, clientMsgId: newId(), ...more }) as never;
  const say = (from: typeof client, what: string, more: object = {}) =>
    from.ok('message:send', { room, clientMsgId: newId(), text: what, ...more });
  const { seq: root } = await say(client, 'root', { mentions: [member] });
  const { seq: gone } = await say(other, 'to be deleted');
  await say(other, 'reply 1', { thread: root });
  const { seq: second } = await say(other, 'reply 2', { thread: root });
  await client.ok('message:edit', about(root, { text: 'root, edited' }));
  await other.ok('message:react', about(root, { emoji: '☕', active: true }));
  await client.ok('message:react', about(root, { emoji: '☕', active: true }));
  await client.ok('message:react', about(root, { emoji: '👍', active: true }));
  await client.ok('message:pin', about(root, { active: true }));
  await other.ok('message:delete', about(gone, {}));
  await rig.untilArchived();
  // The rest is only in the hot log.
  rig.archiver.pause();
  await other.ok('message:delete', about(second, {}));
  await say(client, 'the end');

  const exported = await run('export-room', ['--room', room]);
  rig.archiver.resume();
  assert.equal(exported.code, 0, exported.error);
  assert.ok(!exported.out.includes('to be deleted'));
  const imported = await run('import-room', ['--as', 'private'], exported.out);
  assert.equal(imported.code, 0, imported.error);
  const copy = imported.out.trim();
  assert.match(copy, /^p-[0-9a-f]{32}$/);

  const views = await Promise.all(
    [room, copy].map(async (id) => {
      const join = await other.ok('room:join', { room: id, limit: 200 });
      const read = async (more: object) =>
        (await other.ok('messages:read', { room: id, limit: 200, ...more })).messages;
      const pages = [join.messages, await read({}), await read({ thread: root }), await read({ pinned: true })];
      return {
        ...{ head: join.head, n: join.n, title: join.title },
        members: (await other.ok('room:members', { room: id })).members,
        pages: pages.map((page) => page.map(({ room: _, epoch: __, ...entry }) => entry)),
      };
    }),
  );
  assert.deepEqual(views[1], views[0]);
  const mine = await other.ok('rooms:mine', {});
  const listed = mine.rooms.find((one) => one.room === copy);
  assert.deepEqual([listed?.unread, listed?.last?.text], [0, 'the end']);
  // Both rooms behave the same afterwards.
  await other.ok('message:react', { room: copy, seq: root, clientMsgId: newId(), emoji: '☕', active: false });
  const after = (await other.ok('messages:read', { room: copy, pinned: true })).messages[0];
  assert.deepEqual(
    after?.reactions?.map(({ emoji, count }) => [emoji, count]),
    [
      ['☕', 1],
      ['👍', 1],
    ],
  );
  assert.equal((await run('export-room', ['--room', newRoom('none')])).code, 2);
});

test('a private room needs an owner, and an invalid call prints the help', async () => {
  const wrong = [
    ['--as', 'private'],
    ['--room', 'a', '--as', 'private'],
    ['--room', 'a', '--yes', 'x'],
  ];
  const [noOwner, both, unknown] = await Promise.all(wrong.map((args) => run('import-room', args, lines(chat(2)))));
  assert.match(noOwner?.error ?? '', /--owner USER/);
  for (const result of [both, unknown]) assert.match(result?.error ?? '', /Usage: /);
  assert.deepEqual([noOwner?.code, both?.code, unknown?.code], [2, 2, 2]);
  const helps = await Promise.all(['import-room', 'export-room'].map((command) => run(command, ['--help'])));
  for (const { code, out } of helps) assert.deepEqual([code, out.startsWith('Usage: ')], [0, true]);
});

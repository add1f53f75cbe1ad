import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Archive, openArchive } from './archive.ts';
import { type AuthoredAt, eraseAuthored, readAuthored } from './authored.ts';
import { migrateArchive } from './migrate.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';

let server: TestPostgres;
let archive: Archive;

before(async () => {
  server = await startTestPostgres();
  await migrateArchive({ url: server.url, log: () => {} });
  archive = openArchive({ url: server.url, poolMax: 4, deadlineMs: 5_000, onError: () => {} });
});
after(async () => {
  await archive.close();
  await server.stop();
});

type Stored = AuthoredAt & { author: string; type?: string; tail: string };

const store = ({ room, seq, ts, author, type = 'text', tail }: Stored) =>
  archive.write(async (tx) => {
    const head = `"n":1,"type":"${type}","from":{"id":"${author}","name":"N"}`;
    await tx.query(
      `INSERT INTO entries (room, seq, epoch, ts, n, author, is_message, head, tail)
      VALUES ($1, $2, '1.a', $3, 1, $4, $5, $6, $7)`,
      [room, seq, ts, author, type === 'text', head, tail],
    );
    if (type !== 'text') return;
    await tx.query(`INSERT INTO messages (room, seq, ts, author, words) VALUES ($1, $2, $3, $4, to_tsvector('x'))`, [
      ...[room, seq, ts, author],
    ]);
  });
const say = (author: string, room: string, seq: number, ts: number, text = 'hello') =>
  store({ room, seq, ts, author, tail: `"text":${JSON.stringify(text)}` });

test("pages of a user's entries join without gaps or duplicates, also within one millisecond", async () => {
  for (let seq = 1; seq <= 9; seq++) {
    await say('mina', seq % 2 === 0 ? 'a' : 'b-1', seq, 100 + Math.floor(seq / 4));
    await say('jun', 'c', seq, 100);
  }
  const found: AuthoredAt[] = [];
  for (let page = 0; page < 9; page++) {
    const after = found.at(-1);
    found.push(...(await archive.read((tx) => readAuthored(tx, { userId: 'mina', after, untilTs: 101, limit: 2 }))));
  }
  assert.deepEqual(
    found.map(({ seq }) => seq),
    [2, 1, 3, 4, 6, 5, 7],
  );
});

test('an erased text is in no column of any table', async () => {
  await say('bo', 'd', 1, 5, 'secret <"erased":true');
  await store({
    room: 'd',
    seq: 2,
    ts: 6,
    author: 'bo',
    type: 'message.edit',
    tail: '"data":{"seq":1,"text":"secret"}',
  });
  await say('bo', 'd', 3, 50, 'written later');
  await archive.write((tx) =>
    tx.query(`INSERT INTO set_aside SELECT room, seq, '0.z', ts, author, head, tail FROM entries WHERE room = 'd'`),
  );
  const erase = () => archive.write((tx) => eraseAuthored(tx, { userId: 'bo', untilTs: 40, limit: 3 }));
  assert.equal(await erase(), 4);
  assert.equal(await erase(), 0);
  const rows = await archive.read(async (tx) => {
    const all: object[] = [];
    for (const table of ['entries', 'messages', 'set_aside']) all.push(...(await tx.query(`SELECT * FROM ${table}`)));
    return all;
  });
  const texts = JSON.stringify(rows);
  assert.ok(!texts.includes('secret'));
  assert.ok(texts.includes('written later'));
  const [message, edit] = await archive.read((tx) => readAuthored(tx, { userId: 'bo', limit: 2 }));
  assert.deepEqual([message?.tail, edit?.tail], ['"erased":true', '"data":{"seq":1},"erased":true']);
});

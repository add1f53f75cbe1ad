/** Users export and erase their content. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tokenOf } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type PersonalRig, startPersonalRig } from './personal-setup.ts';

/** Minimum number of entries that the hot log keeps. */
const KEPT = 64;
/** Longer than the export. After it, the archiver takes the room again. */
const CLAIM_MS = 3_000;

let rig: PersonalRig;
before(async () => {
  rig = await startPersonalRig({
    MARU_RETENTION_ENTRIES_MIN: String(KEPT),
    MARU_RETENTION_ENTRIES_MAX: String(KEPT),
  });
});
after(() => rig?.stop());

const say = (room: string, text: string) => ({ room, text, clientMsgId: newId() });

test('an export contains everything that the user wrote, archived or not, and continues after a cursor', async () => {
  const [user, other] = [`user-${newId()}`, `other-${newId()}`];
  const [client, others] = [await rig.enter(user), await rig.enter(other, 1)];
  const rooms = [newRoom('export'), newRoom('export')];
  for (const room of rooms) await client.ok('room:join', { room });
  const sent: string[] = [];
  for (let count = 0; count < 12; count++) {
    const room = rooms[count % 2] as string;
    if (count === 7) await rig.untilArchived();
    if (count === 7) rig.archiver.pause();
    const { seq } = await client.ok('message:send', say(room, `text ${count}`));
    sent.push(`text ${count}`);
    await others.ok('message:send', say(room, 'not mine'));
    if (count === 5) await client.ok('message:edit', { ...say(room, 'edited'), seq });
  }
  // The hints of gateways to the archiver.
  const isHinted = async (room: string) => (await rig.redis.zscore('maru:{archive}:dirty', room)) !== null;
  for (const room of rooms) await poll('the hints', () => isHinted(room));
  // Like an archiver while it copies a room.
  await rig.redis.zrem('maru:{archive}:dirty', rooms[0] as string);
  await rig.redis.zadd('maru:{archive}:claims', Date.now() + CLAIM_MS, rooms[0] as string);
  const lines = await rig.export(user);
  rig.archiver.resume();
  assert.deepEqual(lines.pop(), { end: true, entries: 13 });
  assert.deepEqual(
    lines.filter(({ type }) => type === 'text').map(({ text }) => text),
    sent,
  );
  for (const at of [0, 6, 12]) {
    const rest = await rig.export(user, lines[at]?.cursor);
    assert.deepEqual(rest.slice(0, -1), lines.slice(at + 1));
  }
});

test('an export needs a token, and a valid cursor', async () => {
  assertProblem(await call(rig.urlOf(0), '/me/export'), 401, 'unauthenticated');
  for (const cursor of ['x', '1-2', '1-2-', '1-2-A', `1-2-${'a'.repeat(65)}`, "1-2-a';"])
    assertProblem(
      await call(rig.urlOf(0), `/me/export?cursor=${encodeURIComponent(cursor)}`, { token: tokenOf('mina') }),
      400,
      'invalid',
    );
});

test('an erasure removes texts from every room, and from entries that a rollback set aside', async () => {
  const [user, other] = [`user-${newId()}`, `other-${newId()}`];
  const [client, others] = [await rig.enter(user), await rig.enter(other, 1)];
  const mark = newId();
  const texts = ['plain', 'before', 'after', 'private', 'direct', 'aside'].map((what) => `${what}-${mark}`);
  const [banned, room] = [newRoom('erase'), newRoom('erase')];
  await others.ok('room:create', { room: banned });
  await others.ok('room:join', { room });
  await client.ok('message:send', say(banned, texts[0] as string));
  await others.ok('room:ban', { room: banned, user });
  const { seq } = await client.ok('message:send', say(room, texts[1] as string));
  await client.ok('message:edit', { ...say(room, texts[2] as string), seq });
  const { seq: theirs } = await others.ok('message:send', say(room, `stays-${mark}`));
  await client.ok('message:react', { room, seq: theirs, clientMsgId: newId(), emoji: '👍', active: true });
  const { room: own } = await client.ok('room:create', { visibility: 'private' });
  await client.ok('room:invite', { room: own, user: other });
  await client.ok('message:send', say(own, texts[3] as string));
  const { room: direct } = await client.ok('room:create', { visibility: 'direct', user: other });
  await client.ok('message:send', say(direct, texts[4] as string));
  await rig.archive.write((tx) =>
    tx.query(`INSERT INTO set_aside VALUES ($1, 7, '0.a', 5, $2, '"type":"text","from":{}', $3)`, [
      ...[room, user, `"text":"${texts[5]}"`],
    ]),
  );

  const id = await rig.erase(user);
  assert.equal(await rig.erase(user, 1), id);
  assertProblem(await call(rig.urlOf(0), `/me/jobs/${id}`, { token: tokenOf(other) }), 404, 'not_found');
  const { changes } = await rig.untilDone(user, id);
  assert.equal(changes, 5);
  assert.deepEqual(await rig.placesWith(texts), []);
  assert.notDeepEqual(await rig.placesWith([`stays-${mark}`]), []);

  const { messages } = await others.ok('history:read', { room });
  const [first, , second] = messages;
  assert.deepEqual([first?.text, first?.deleted?.by, second?.reactions], ['', user, undefined]);
  // Others receive the erasures.
  await others.until(room, 6);
  assert.deepEqual((await others.ok('room:members', { room: own })).members, [{ user: other, role: 'owner' }]);
  const mine = await client.ok('rooms:mine', {});
  assert.deepEqual(
    mine.rooms.map((listed) => listed.room),
    [direct],
  );
  // The user may continue to write.
  await client.ok('message:send', say(room, 'a new beginning'));
  assert.equal((await rig.job(user, await rig.erase(user))).job === id, false);
});

test('an erasure ends although the user is a muted owner', async () => {
  const [user, other, third] = [`user-${newId()}`, `other-${newId()}`, `third-${newId()}`];
  const [client, others] = [await rig.enter(user), await rig.enter(other, 1)];
  const { room } = await others.ok('room:create', { visibility: 'private' });
  for (const invited of [user, third]) await others.ok('room:invite', { room, user: invited });
  await others.ok('room:mute', { room, user });
  await others.ok('room:role', { room, user, role: 'owner' });
  await others.ok('room:quit', { room, clientMsgId: newId() });
  // As an earlier release left it.
  await rig.redis.hset(`maru:{${room}}:sanctions`, `mute\n${user}`, `0\n${other}\n`);
  await rig.redis.hset(`maru:{${room}}:meta`, 'guarded', '1');
  await rig.untilDone(user, await rig.erase(user));
  assert.deepEqual(await rig.redis.hgetall(`maru:{${room}}:roles`), { [third]: 'owner' });
  await client.refused('not_found', 'room:members', { room });
});

test('an erasure reaches messages that only the archive has', async () => {
  const [user, other] = [`user-${newId()}`, `other-${newId()}`];
  const [client, others] = [await rig.enter(user), await rig.enter(other, 1)];
  const room = newRoom('erase');
  const mark = newId();
  await client.ok('room:join', { room });
  const { seq } = await client.ok('message:send', say(room, `old ${mark}`));
  await client.ok('message:edit', { ...say(room, `edited ${mark}`), seq });
  for (let count = 0; count < 4 * KEPT; count++) await others.ok('message:send', say(room, 'x'));
  await poll(
    'the log to be trimmed',
    async () => Number(await rig.redis.hget(`maru:{${room}}:meta`, 'first')) > seq + 1,
  );
  const { changes } = await rig.untilDone(user, await rig.erase(user, 1));
  assert.equal(changes, 1);
  assert.deepEqual(await rig.placesWith([mark]), []);
  const { messages } = await others.ok('history:read', { room, limit: 1 });
  assert.deepEqual([messages[0]?.type, messages[0]?.data], ['message.delete', { seq }]);
});

test('an erasure continues when its gateway is killed', async () => {
  const user = `user-${newId()}`;
  const client = await rig.enter(user, 1);
  const room = newRoom('erase');
  const mark = newId();
  await client.ok('room:join', { room });
  for (let count = 0; count < 180; count++) await client.ok('message:send', say(room, `${mark} ${count}`));
  await rig.untilArchived();
  const id = await rig.erase(user, 0);
  await poll('the first page', async () => (await rig.job(user, id)).changes > 0);
  await rig.site.gateways[0]?.end('SIGKILL');
  assert.equal((await rig.job(user, id)).state, 'running');
  // Makes the lease end sooner than in production.
  await rig.archive.write((tx) => tx.query(`UPDATE jobs SET leased_until = now() WHERE state = 'running'`));
  const { changes } = await rig.untilDone(user, id);
  assert.equal(changes, 180);
  assert.deepEqual(await rig.placesWith([mark]), []);
});

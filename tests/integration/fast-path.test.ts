/** What clients are given does not depend on the road that entries take to their sockets: one suite, with the fast path on and off. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ConnectOptions, connect, type TestClient } from '../support/client.ts';
import {
  type Gateways,
  type ServiceProcess,
  startGateways,
  stopReading,
  tokenOf,
  WIDE_LIMITS,
} from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { RawSocket } from '../support/raw.ts';
import { newId, newRoom } from '../support/tokens.ts';

/** White space that JSON writes with six characters: some 32 KB an entry. */
const HEAVY_TEXT = `${'\u000b'.repeat(5_400)}x`;
/** More of it than the kernel's buffers and the bound of a connection take together. */
const HEAVY_COUNT = 900;
const HEAVY_AT_ONCE = 50;

const OTHER_ENGINE = fileURLToPath(new URL('../support/other-engine.mjs', import.meta.url));

const roads = [
  { name: 'on', environment: {}, state: 'on', direct: true },
  { name: 'off', environment: { MARU_FAST_PATH: 'off' }, state: 'off', direct: false },
  {
    name: 'given up, because Engine.IO works otherwise than expected',
    environment: { NODE_OPTIONS: `--import=${OTHER_ENGINE}` },
    state: 'unexpected',
    direct: false,
  },
];

for (const road of roads) {
  describe(`with the fast path ${road.name}`, () => {
    let cluster: Gateways;
    let gateway: ServiceProcess;
    let author: TestClient;
    const open: Array<{ close(): void }> = [];

    before(async () => {
      cluster = await startGateways({ environment: { ...WIDE_LIMITS, ...road.environment } });
      [gateway] = cluster.gateways as [ServiceProcess];
      author = await connect(gateway.url, { token: tokenOf('author') });
    });
    afterEach(() => {
      for (const client of open.splice(0)) client.close();
    });
    after(async () => {
      author?.close();
      await cluster?.stop();
    });

    async function join(room: string, options: Partial<ConnectOptions> = {}): Promise<TestClient> {
      const client = await connect(gateway.url, { token: tokenOf(newId()), ...options });
      open.push(client);
      await client.ok('room:join', { room, limit: 1 });
      return client;
    }

    /** A store that cannot take it just now, as on a busy machine, is asked again; the same id makes it the same message. */
    async function say(room: string, text = 'hello'): Promise<void> {
      const clientMsgId = newId();
      await poll('the message to be stored', async () => {
        const ack = await author.request('message:send', { room, clientMsgId, text });
        assert(ack.ok || ack.error.retryable, JSON.stringify(ack));
        return ack.ok;
      });
    }
    /** Single ones, pairs and bursts. */
    async function chatter(room: string, rounds: number): Promise<number> {
      let sent = 0;
      for (let round = 0; round < rounds; round++) {
        const burst = [1, 2, 8][round % 3] as number;
        await Promise.all(Array.from({ length: burst }, () => say(room)));
        sent += burst;
      }
      return sent;
    }
    /** Chatter until it is told to end; then how many were sent. */
    function talkOn(room: string): () => Promise<number> {
      let talking = true;
      const talk = (async () => {
        let sent = 0;
        while (talking) sent += await chatter(room, 3);
        return sent;
      })();
      return () => {
        talking = false;
        return talk;
      };
    }
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const expectAll = async (client: TestClient, room: string, last: number, from = 1) => {
      await poll(`entry ${last}`, () => (client.seqs(room).at(-1) ?? 0) >= last);
      assert.deepEqual(client.seqs(room), range(from, last));
    };

    test('members on every transport get each entry once and in order, also while a transport is upgraded', async () => {
      const room = newRoom();
      const members = await Promise.all([
        join(room),
        join(room, { transports: ['polling'] }),
        join(room, { transports: ['polling', 'websocket'] }),
      ]);
      const endOfTalk = talkOn(room);
      const upgrading = await connect(gateway.url, { token: tokenOf(newId()), transports: ['polling', 'websocket'] });
      open.push(upgrading);
      const { head } = await upgrading.ok('room:join', { room, limit: 1 });
      const transports: string[] = [];
      upgrading.socket.io.engine.on('upgrade', ({ name }) => transports.push(name));
      await poll('the upgrade', () => upgrading.socket.io.engine.transport.name === 'websocket');
      const last = (await endOfTalk()) + (await chatter(room, 6));
      for (const member of members) await expectAll(member, room, last);
      await expectAll(upgrading, room, last, head + 1);
    });

    test('answers and entries to one connection keep their order, whatever it asks for meanwhile', async () => {
      const room = newRoom();
      const member = await join(room);
      const elsewhere = newRoom();
      await author.ok('room:create', { room: elsewhere });
      const endOfTalk = talkOn(room);
      let lastSeq = 0;
      for (let i = 0; i < 15; i++) {
        await Promise.all([
          member.ok('message:send', { room: elsewhere, clientMsgId: newId(), text: 'hello' }),
          member.ok('history:read', { room, limit: 5 }),
        ]);
        // All up to the head of this answer was given before it.
        const { head } = await member.ok('room:join', { room });
        const index = member.received.findLastIndex(({ name }) => name === 'ack room:join');
        const before = member.received.slice(0, index).filter(({ name }) => name === 'message').length;
        assert.ok(before >= head && head >= lastSeq, `${before} entries came before a head of ${head}`);
        lastSeq = head;
      }
      await expectAll(member, room, await endOfTalk());
    });

    test('one who leaves and comes back, or loses its connection, misses nothing and gets nothing twice', async () => {
      const room = newRoom();
      await author.ok('room:join', { room });
      const token = tokenOf('wanderer');
      const first = await join(room, { token });
      const endOfTalk = talkOn(room);
      const seen: number[] = [];
      let client = first;
      for (let i = 0; i < 4; i++) {
        await poll('some entries', () => client.seqs(room).length > 5);
        seen.push(...client.seqs(room));
        const resume = client.positions([room]);
        client.socket.io.engine.close();
        client = await connect(gateway.url, { token, resume });
        open.push(client);
        assert.equal(client.session.rooms[room] && 'recovered' in client.session.rooms[room], true);
      }
      const last = await endOfTalk();
      // On a busy machine nothing may be left for the last connection.
      await poll('the rest', () => (client.seqs(room).at(-1) ?? seen.at(-1) ?? 0) >= last);
      seen.push(...client.seqs(room));
      assert.deepEqual([...new Set(seen)], range(1, last));
      await author.ok('room:leave', { room });
    });

    test('texts of any script and size arrive as they were sent', async () => {
      const room = newRoom();
      const [member, polling] = await Promise.all([join(room), join(room, { transports: ['polling'] })]);
      const texts = [
        '안녕하세요, 마루!',
        '🙂👩‍👩‍👧🇰🇷',
        'é"\\\u2028',
        'x',
        '한'.repeat(4_000),
        '🙂'.repeat(4_000),
        HEAVY_TEXT,
      ];
      // Around the lengths where a frame's header grows.
      for (const length of [1, 2, 3, 4, 5, 6]) texts.push('y'.repeat(length), '가'.repeat(3_990 + length));
      await Promise.all(texts.map((text) => say(room, text)));
      await expectAll(member, room, texts.length);
      await expectAll(polling, room, texts.length);
      for (const client of [member, polling])
        assert.deepEqual(
          client
            .entries(room)
            .map(({ text }) => text)
            .sort(),
          [...texts].sort(),
        );
    });

    test('a connection that is closed while a room talks ends as it should, and no other notices', async () => {
      const room = newRoom();
      const member = await join(room);
      const endOfTalk = talkOn(room);
      const leaving = await Promise.all(
        Array.from({ length: 6 }, () => RawSocket.connect(gateway.url, tokenOf(newId()))),
      );
      for (const raw of leaving) raw.send(`420${JSON.stringify(['room:join', { room }])}`);
      const abrupt = await Promise.all(Array.from({ length: 3 }, () => join(room)));
      for (const raw of leaving) await raw.frame((frame) => frame.startsWith('42["message"'));
      const [saying, ...closing] = leaving as [RawSocket, ...RawSocket[]];
      saying.send('41');
      for (const raw of closing) raw.close();
      for (const client of abrupt) client.close();
      await poll('all ends', () => leaving.every((raw) => raw.closed));
      await expectAll(member, room, await endOfTalk());
      await poll('the end of all sessions but two', async () => (await gateway.metric('maru_sessions')) === 2);
    });

    test('one who does not read is cut at its bound, the others get all, and it comes back without a hole', async () => {
      const room = newRoom();
      const token = tokenOf('sleeper');
      const [reader, sleeper] = [await join(room), await join(room, { token })];
      await say(room);
      await poll('the first entry', () => sleeper.seqs(room).length === 1);
      const resume = sleeper.positions([room]);
      const readAgain = stopReading(sleeper);
      const cuts = await gateway.metric('maru_connections_cut_total', 'slow_consumer');
      let last = 1;
      const isCut = async () => (await gateway.metric('maru_connections_cut_total', 'slow_consumer')) > cuts;
      while (last < HEAVY_COUNT && !(await isCut())) {
        await Promise.all(Array.from({ length: HEAVY_AT_ONCE }, () => say(room, HEAVY_TEXT)));
        last += HEAVY_AT_ONCE;
      }
      await poll('the cut', isCut);
      readAgain();
      await expectAll(reader, room, last);
      assert((await gateway.metric('maru_connections_cut_total', 'slow_consumer')) === cuts + 1);
      const back = await connect(gateway.url, { token, resume });
      open.push(back);
      const answer = back.session.rooms[room];
      // More than a hole that is closed: it is told so, and live from there.
      assert(answer !== undefined && 'recovered' in answer && answer.recovered === false && answer.head === last);
      await say(room);
      await expectAll(back, room, last + 1, last + 1);
    });

    test('the metrics tell which road was taken', async () => {
      const room = newRoom();
      const member = await join(room);
      const before = await gateway.metric('maru_room_writes_total', 'direct');
      await expectAll(member, room, await chatter(room, 6));
      for (const state of ['on', 'off', 'unexpected'])
        assert.equal(await gateway.metric('maru_fast_path', state), Number(state === road.state));
      assert.equal((await gateway.metric('maru_room_writes_total', 'direct')) > before, road.direct);
      assert.equal(gateway.output().includes('the fast path is not used'), road.state === 'unexpected');
    });
  });
}

/** Clients get the same with the fast path on, off, and unavailable: one suite for all three. */
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

/** White space that JSON escapes with six characters: about 32 KB for each entry. */
const HEAVY_TEXT = `${'\u000b'.repeat(5_400)}x`;
/** More than the kernel's buffers and a connection's maximum backlog together. */
const HEAVY_COUNT = 900;
const HEAVY_AT_ONCE = 50;

const OTHER_ENGINE = fileURLToPath(new URL('../support/other-engine.mjs', import.meta.url));

const PATHS = [
  { name: 'on', environment: {}, state: 'on', direct: true },
  { name: 'off', environment: { MARU_FAST_PATH: 'off' }, state: 'off', direct: false },
  {
    name: 'given up because the self-test failed',
    environment: { NODE_OPTIONS: `--import=${OTHER_ENGINE}` },
    state: 'unexpected',
    direct: false,
  },
];

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** One gateway, an author who sends to rooms, and the clients of one test. */
class Rig {
  cluster: Gateways | undefined;
  gateway = undefined as unknown as ServiceProcess;
  author = undefined as unknown as TestClient;
  readonly open: Array<{ close(): void }> = [];

  async start(environment: Record<string, string | undefined>): Promise<void> {
    this.cluster = await startGateways({ environment: { ...WIDE_LIMITS, ...environment } as Record<string, string> });
    [this.gateway] = this.cluster.gateways as [ServiceProcess];
    this.author = await connect(this.gateway.url, { token: tokenOf('author') });
  }

  async stop(): Promise<void> {
    this.author?.close();
    await this.cluster?.stop();
  }

  async join(room: string, options: Partial<ConnectOptions> = {}): Promise<TestClient> {
    const client = await connect(this.gateway.url, { token: tokenOf(newId()), ...options });
    this.open.push(client);
    await client.ok('room:join', { room, limit: 1 });
    return client;
  }

  /**
   * Retries with the same id while the store is unavailable, which may happen on a busy machine.
   */
  async say(room: string, text = 'hello'): Promise<void> {
    const clientMsgId = newId();
    await poll('the message to be stored', async () => {
      const ack = await this.author.request('message:send', { room, clientMsgId, text });
      assert(ack.ok || ack.error.retryable, JSON.stringify(ack));
      return ack.ok;
    });
  }

  /** Sends single messages, pairs and bursts. Returns their number. */
  async chatter(room: string, rounds: number): Promise<number> {
    let sent = 0;
    for (let round = 0; round < rounds; round++) {
      const burst = [1, 2, 8][round % 3] as number;
      await Promise.all(Array.from({ length: burst }, () => this.say(room)));
      sent += burst;
    }
    return sent;
  }

  /** Sends until the returned function is called. It resolves with the number of messages. */
  talkOn(room: string): () => Promise<number> {
    let talking = true;
    const talk = (async () => {
      let sent = 0;
      while (talking) sent += await this.chatter(room, 3);
      return sent;
    })();
    return () => {
      talking = false;
      return talk;
    };
  }

  async expectAll(client: TestClient, room: string, last: number, from = 1): Promise<void> {
    await poll(`entry ${last}`, () => (client.seqs(room).at(-1) ?? 0) >= last);
    assert.deepEqual(client.seqs(room), range(from, last));
  }
}

for (const path of PATHS) {
  describe(`with the fast path ${path.name}`, () => {
    const rig = new Rig();
    before(() => rig.start(path.environment));
    afterEach(() => {
      for (const client of rig.open.splice(0)) client.close();
    });
    after(() => rig.stop());
    orderTests(rig);
    contentTests(rig, path);
    endTests(rig);
  });
}

function orderTests(rig: Rig): void {
  test('members on every transport get each entry once and in order, also during an upgrade', async () => {
    const room = newRoom();
    const members = await Promise.all([
      rig.join(room),
      rig.join(room, { transports: ['polling'] }),
      rig.join(room, { transports: ['polling', 'websocket'] }),
    ]);
    const endOfTalk = rig.talkOn(room);
    const upgrading = await connect(rig.gateway.url, { token: tokenOf(newId()), transports: ['polling', 'websocket'] });
    rig.open.push(upgrading);
    const { head } = await upgrading.ok('room:join', { room, limit: 1 });
    const transports: string[] = [];
    upgrading.socket.io.engine.on('upgrade', ({ name }) => transports.push(name));
    await poll('the upgrade', () => upgrading.socket.io.engine.transport.name === 'websocket');
    const last = (await endOfTalk()) + (await rig.chatter(room, 6));
    for (const member of members) await rig.expectAll(member, room, last);
    await rig.expectAll(upgrading, room, last, head + 1);
  });

  test('answers and entries of one connection keep their order, with other requests in between', async () => {
    const room = newRoom();
    const member = await rig.join(room);
    const elsewhere = newRoom();
    await rig.author.ok('room:create', { room: elsewhere });
    const endOfTalk = rig.talkOn(room);
    const answered = new Set<number>();
    let lastSeq = 0;
    for (let i = 0; i < 15; i++) {
      await Promise.all([
        member.ok('message:send', { room: elsewhere, clientMsgId: newId(), text: 'hello' }),
        member.ok('history:read', { room, limit: 5 }),
      ]);
      // The answer has every entry up to its head; only later ones follow.
      const { head, messages } = await member.ok('room:join', { room, limit: 200 });
      for (const { seq } of messages) answered.add(seq);
      const index = member.received.findLastIndex(({ name }) => name === 'ack room:join');
      const before = member.received.slice(0, index).filter(({ name }) => name === 'message');
      assert.ok(before.every(({ payload }) => (payload as { seq: number }).seq <= head));
      assert.ok(head >= lastSeq && answered.has(head) === head > 0, `the answer has no entry ${head}`);
      lastSeq = head;
    }
    const last = await endOfTalk();
    await poll('the last entry', () => member.seqs(room).at(-1) === last || answered.has(last));
    const live = member.seqs(room);
    assert.deepEqual(
      live,
      [...new Set(live)].sort((a, b) => a - b),
      'no live entry comes twice, and all come in order',
    );
    for (let seq = 1; seq <= last; seq++) assert.ok(live.includes(seq) || answered.has(seq), `entry ${seq} came`);
  });

  test('a member that leaves and resumes misses nothing and gets nothing twice', async () => {
    const room = newRoom();
    await rig.author.ok('room:join', { room });
    const token = tokenOf('wanderer');
    const first = await rig.join(room, { token });
    const endOfTalk = rig.talkOn(room);
    const seen: number[] = [];
    let client = first;
    for (let i = 0; i < 4; i++) {
      await poll('some entries', () => client.seqs(room).length > 5);
      seen.push(...client.seqs(room));
      const resume = client.positions([room]);
      client.socket.io.engine.close();
      client = await connect(rig.gateway.url, { token, resume });
      rig.open.push(client);
      assert.equal(client.session.rooms[room] && 'recovered' in client.session.rooms[room], true);
    }
    const last = await endOfTalk();
    // On a busy machine, the last connection may have nothing left to receive.
    await poll('the rest', () => (client.seqs(room).at(-1) ?? seen.at(-1) ?? 0) >= last);
    seen.push(...client.seqs(room));
    assert.deepEqual([...new Set(seen)], range(1, last));
    await rig.author.ok('room:leave', { room });
  });
}

function contentTests(rig: Rig, path: (typeof PATHS)[number]): void {
  test('texts of any script and size arrive as they were sent', async () => {
    const room = newRoom();
    const [member, polling] = await Promise.all([rig.join(room), rig.join(room, { transports: ['polling'] })]);
    const texts = [
      '안녕하세요, 마루!',
      '🙂👩‍👩‍👧🇰🇷',
      'é"\\\u2028',
      'x',
      '한'.repeat(4_000),
      '🙂'.repeat(4_000),
      HEAVY_TEXT,
    ];
    // Lengths around those where a frame's header grows.
    for (const length of [1, 2, 3, 4, 5, 6]) texts.push('y'.repeat(length), '가'.repeat(3_990 + length));
    await Promise.all(texts.map((text) => rig.say(room, text)));
    await rig.expectAll(member, room, texts.length);
    await rig.expectAll(polling, room, texts.length);
    for (const client of [member, polling])
      assert.deepEqual(
        client
          .entries(room)
          .map(({ text }) => text)
          .sort(),
        [...texts].sort(),
      );
  });

  test('the metrics show which path was used', async () => {
    const room = newRoom();
    const member = await rig.join(room);
    const before = await rig.gateway.metric('maru_room_writes_total', 'direct');
    await rig.expectAll(member, room, await rig.chatter(room, 6));
    for (const state of ['on', 'off', 'unexpected'])
      assert.equal(await rig.gateway.metric('maru_fast_path', state), Number(state === path.state));
    assert.equal((await rig.gateway.metric('maru_room_writes_total', 'direct')) > before, path.direct);
    assert.equal(rig.gateway.output().includes('the fast path is not used'), path.state === 'unexpected');
  });
}

function endTests(rig: Rig): void {
  test('a connection that closes in a busy room ends properly and does not disturb others', async () => {
    const room = newRoom();
    const member = await rig.join(room);
    const endOfTalk = rig.talkOn(room);
    const leaving = await Promise.all(
      Array.from({ length: 6 }, () => RawSocket.connect(rig.gateway.url, tokenOf(newId()))),
    );
    for (const raw of leaving) raw.send(`420${JSON.stringify(['room:join', { room }])}`);
    const abrupt = await Promise.all(Array.from({ length: 3 }, () => rig.join(room)));
    for (const raw of leaving) await raw.frame((packet) => packet.startsWith('42["message"'));
    const [saying, ...closing] = leaving as [RawSocket, ...RawSocket[]];
    saying.send('41');
    for (const raw of closing) raw.close();
    for (const client of abrupt) client.close();
    await poll('all ends', () => leaving.every((raw) => raw.closed));
    await rig.expectAll(member, room, await endOfTalk());
    await poll('the end of all sessions but two', async () => (await rig.gateway.metric('maru_sessions')) === 2);
  });

  test('a member that does not read is disconnected at its limit, the others get every entry, and it can resume', async () => {
    const room = newRoom();
    const token = tokenOf('sleeper');
    const [reader, sleeper] = [await rig.join(room), await rig.join(room, { token })];
    await rig.say(room);
    await poll('the first entry', () => sleeper.seqs(room).length === 1);
    const resume = sleeper.positions([room]);
    const readAgain = stopReading(sleeper);
    const cuts = await rig.gateway.metric('maru_connections_cut_total', 'slow_consumer');
    let last = 1;
    const isCut = async () => (await rig.gateway.metric('maru_connections_cut_total', 'slow_consumer')) > cuts;
    while (last < HEAVY_COUNT && !(await isCut())) {
      await Promise.all(Array.from({ length: HEAVY_AT_ONCE }, () => rig.say(room, HEAVY_TEXT)));
      last += HEAVY_AT_ONCE;
    }
    await poll('the cut', isCut);
    readAgain();
    await rig.expectAll(reader, room, last);
    assert((await rig.gateway.metric('maru_connections_cut_total', 'slow_consumer')) === cuts + 1);
    const back = await connect(rig.gateway.url, { token, resume });
    rig.open.push(back);
    const answer = back.session.rooms[room];
    // The gap is too large to be closed. The member is live from the head.
    assert(answer !== undefined && 'recovered' in answer && answer.recovered === false && answer.head === last);
    await rig.say(room);
    await rig.expectAll(back, room, last + 1, last + 1);
  });
}

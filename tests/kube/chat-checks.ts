/** A short check that chat works through the public address. */
import assert from 'node:assert/strict';
import { type ConnectOptions, connect, type TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

export interface Check {
  name: string;
  run(url: string): Promise<void>;
}

async function withTwo(
  url: string,
  transports: [ConnectOptions['transports'], ConnectOptions['transports']],
  work: (one: TestClient, other: TestClient) => Promise<void>,
): Promise<void> {
  const clients: TestClient[] = [];
  try {
    for (const transport of transports) {
      const { token } = await createGuest(url);
      clients.push(await connect(url, { token, ...(transport === undefined ? {} : { transports: transport }) }));
    }
    const [one, other] = clients;
    assert(one !== undefined && other !== undefined);
    await work(one, other);
  } finally {
    for (const client of clients) client.close();
  }
}

const MESSAGES = 30;
/** Archivers are at most 3 s behind. After PostgreSQL was replaced, they connect again first. */
const ARCHIVED_TIMEOUT_MS = 30_000;

/** The archive has a new message, and gateways find it there. */
export const ARCHIVE_CHECK: Check = {
  name: 'a message is archived, and found by its word',
  run: (url) =>
    withTwo(url, [['websocket'], ['websocket']], async (one, other) => {
      const room = newRoom('kube');
      for (const client of [one, other]) await client.ok('room:join', { room });
      const query = `needle${Date.now()}`;
      const { seq } = await one.ok('message:send', { room, clientMsgId: newId(), text: `a ${query} in the hay` });
      await poll(
        'the message to be found',
        async () => {
          const found = await other.request('search', { query, room });
          return found.ok && found.data.messages[0]?.seq === seq;
        },
        { timeoutMs: ARCHIVED_TIMEOUT_MS, everyMs: 500 },
      );
    }),
};

export const CHAT_CHECKS: readonly Check[] = [
  {
    name: 'the page is served',
    async run(url) {
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.match(await response.text(), /<html/i);
    },
  },
  {
    name: 'health and metrics are not public',
    async run(url) {
      for (const path of ['/healthz', '/readyz', '/metrics'])
        assert.equal((await fetch(`${url}${path}`)).status, 404, path);
    },
  },
  {
    name: 'two guests chat, one over long-polling without a cookie',
    run: (url) =>
      withTwo(url, [['websocket'], ['polling']], async (one, other) => {
        const room = newRoom('kube');
        for (const client of [one, other]) await client.ok('room:join', { room });
        for (let index = 0; index < MESSAGES; index++)
          await (index % 2 === 0 ? one : other).patient('message:send', {
            room,
            clientMsgId: newId(),
            text: `${index}`,
          });
        const expected = Array.from({ length: MESSAGES }, (_, index) => index + 1);
        for (const client of [one, other]) {
          await client.until(room, MESSAGES);
          assert.deepEqual(client.seqs(room), expected);
        }
        assert.equal(other.connects, 1, 'the polling client must not reconnect');
      }),
  },
  {
    name: 'a retried message is stored once',
    run: (url) =>
      withTwo(url, [['websocket'], ['websocket']], async (one, other) => {
        const room = newRoom('kube');
        await one.ok('room:join', { room });
        const message = { room, clientMsgId: newId(), text: '안녕' };
        const first = await one.ok('message:send', message);
        const again = await one.ok('message:send', message);
        assert.deepEqual([again.seq, again.duplicate], [first.seq, true]);
        const { messages } = await other.ok('history:read', { room, after: 0 });
        assert.deepEqual(
          messages.map(({ text }) => text),
          ['안녕'],
        );
      }),
  },
  {
    name: 'presence counts both clients',
    run: (url) =>
      withTwo(url, [['websocket'], ['websocket']], async (one, other) => {
        const room = newRoom('kube');
        for (const client of [one, other]) await client.ok('room:join', { room });
        // A gateway that started before presence may get an empty DNS answer for some seconds.
        const { count } = await one.patient('presence:watch', { room });
        if (count !== 2) await one.event<{ count: number }>('presence', (event) => event.count === 2);
      }),
  },
  ARCHIVE_CHECK,
];

/** Payloads that are too large, too deep, or have a false length, over every transport. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requestSchemas } from '@maru/protocol';
import { readStore } from '../integration/store-search.ts';
import { tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { rawRequest } from '../support/raw.ts';
import { newRoom } from '../support/tokens.ts';
import { FrameSocket, frame, OPCODE, sendBytes, Tcp } from './frame-socket.ts';
import { type Site, startSite, urlOf, WAYS, type Way } from './site.ts';

const TOKEN = tokenOf('mallory');
const ROOM = newRoom('never');
/** The heap, buffers outside it, and the runtime. */
const HEAP_MB = 256;
const RESIDENT_BYTES_MAX = 500 * 1_048_576;
const PACKET_BYTES_MAX = 131_072;

let site: Site;
before(async () => {
  site = await startSite({
    environment: {
      ...WIDE_LIMITS,
      MARU_CONNECTIONS_PER_USER_MAX: '1000',
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
    },
  });
});
after(() => site?.stop());

async function assertNothingHappened(): Promise<void> {
  await site.assertUnharmed();
  for (const [key, value] of await readStore(site.admin))
    assert(!key.includes(ROOM) && !value.includes(ROOM), `${key}: ${value.slice(0, 200)}`);
  assert((await site.gateway.metric('process_resident_memory_bytes')) < RESIDENT_BYTES_MAX);
}

const message = (text: string) => `421["message:send",{"room":"${ROOM}","clientMsgId":"large","text":"${text}"}]`;

describe('a WebSocket message over the limit', () => {
  const large = message('x'.repeat(PACKET_BYTES_MAX));
  const part = 'x'.repeat(16_384);
  const attacks: Record<string, (socket: FrameSocket) => void> = {
    'in one frame': (socket) => socket.send(large),
    'in two frames': (socket) => {
      socket.write(frame(OPCODE.text, large.slice(0, 70_000), { final: false }));
      socket.write(frame(OPCODE.continuation, large.slice(70_000)));
    },
    'in fragments without an end': (socket) => {
      socket.write(frame(OPCODE.text, '42', { final: false }));
      for (let count = 0; count < 1_000; count++) socket.write(frame(OPCODE.continuation, part, { final: false }));
    },
    'in a frame that announces a terabyte': (socket) =>
      socket.write(frame(OPCODE.text, '421["message:send",', { length: 2 ** 40 })),
    'in a frame that announces more than a number holds': (socket) =>
      socket.write(Buffer.concat([Buffer.from([0x81, 0xff]), Buffer.alloc(12, 0xff)])),
    'in a binary frame': (socket) => socket.write(frame(OPCODE.binary, large)),
  };
  for (const way of WAYS)
    for (const [how, attack] of Object.entries(attacks))
      test(`${how} closes the transport and stores nothing, ${way}`, async () => {
        const socket = await FrameSocket.connect(urlOf(site, way), TOKEN);
        attack(socket);
        await socket.ended();
        await assertNothingHappened();
      });

  for (const way of WAYS)
    test(`that 100 connections start but never finish uses no memory beyond the limit, ${way}`, async () => {
      const sockets = await Promise.all(
        Array.from({ length: 100 }, () => FrameSocket.connect(urlOf(site, way), TOKEN)),
      );
      for (const socket of sockets)
        socket.write(frame(OPCODE.text, 'x'.repeat(PACKET_BYTES_MAX - 1), { final: false }));
      await assertNothingHappened();
      for (const socket of sockets) socket.close();
    });
});

/** Opens a session by long-polling, and signs in. @returns the path of its requests */
async function poll(way: Way): Promise<string> {
  const path = '/socket.io/?EIO=4&transport=polling';
  const opened = await rawRequest(urlOf(site, way), { path });
  const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
  const own = `${path}&sid=${encodeURIComponent(sid)}`;
  const signedIn = await rawRequest(urlOf(site, way), { path: own, method: 'POST', body: `40{"token":"${TOKEN}"}` });
  assert.equal(signedIn.status, 200);
  return own;
}

const head = (path: string, ...headers: string[]) =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${TOKEN}`,
    'Idempotency-Key: k',
    ...headers,
    '\r\n',
  ].join('\r\n');
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('a POST over the limit', () => {
  const targets: Record<string, (way: Way) => Promise<string>> = {
    'by long-polling': poll,
    'to the HTTP API': async () => `/api/v1/rooms/${ROOM}/messages`,
  };
  const bodies: Record<string, string> = {
    'by long-polling': message('x'.repeat(400_000)),
    'to the HTTP API': JSON.stringify({ text: 'x'.repeat(400_000) }),
  };
  for (const way of WAYS)
    for (const [target, pathOf] of Object.entries(targets))
      test(`${target} is refused and stores nothing, also in chunks, ${way}`, async () => {
        const body = bodies[target] ?? '';
        const url = urlOf(site, way);
        const isRefused = (status: number | undefined) => status === undefined || status === 413;
        const whole = await sendBytes(url, head(await pathOf(way), `Content-Length: ${body.length}`), body);
        assert(isRefused(whole), `whole: ${whole}`);
        const parts = Array.from({ length: 40 }, (_, index) =>
          chunked(body.slice(index * 10_000, (index + 1) * 10_000)),
        );
        const inChunks = await sendBytes(
          url,
          head(await pathOf(way), 'Transfer-Encoding: chunked'),
          ...parts,
          chunked(''),
        );
        assert(isRefused(inChunks), `in chunks: ${inChunks}`);
        await assertNothingHappened();
      });
});

describe('a POST with a false length', () => {
  const text = '{"text":"x"}';
  const smuggled = `POST /api/v1/rooms/${ROOM}/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`;
  const attacks: Record<string, string> = {
    'two different lengths': head('/api/v1/guests', 'Content-Length: 12', 'Content-Length: 5') + text,
    'a length and chunks': `${head('/api/v1/guests', 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
    'an unknown encoding': head('/api/v1/guests', 'Transfer-Encoding: xchunked') + smuggled,
    'a negative length': head('/api/v1/guests', 'Content-Length: -1') + text,
    'a length that is not a number': head('/api/v1/guests', 'Content-Length: 1e1') + text,
    'a chunk of a negative size': `${head('/api/v1/guests', 'Transfer-Encoding: chunked')}-1\r\n${text}\r\n`,
    'a header with NUL': head('/api/v1/guests', 'X-Y: a\u0000b', 'Content-Length: 12') + text,
    'headers of 100 KB': head('/api/v1/guests', `X-Y: ${'y'.repeat(100_000)}`, 'Content-Length: 12') + text,
  };
  for (const way of WAYS)
    test(`is refused with 4xx or closed, and smuggles no request, ${way}`, async () => {
      for (const [what, bytes] of Object.entries(attacks)) {
        const status = await sendBytes(urlOf(site, way), bytes);
        assert(status === undefined || (status >= 400 && status <= 501 && status !== 500), `${what}: ${status}`);
      }
      await assertNothingHappened();
    });

  for (const way of WAYS)
    test(`that is too large for its body ends with the connection, ${way}`, async () => {
      const tcp = new Tcp(urlOf(site, way));
      tcp.write(head(await poll(way), 'Content-Length: 90000') + message('x'));
      tcp.socket.end();
      await tcp.status();
      tcp.close();
      await assertNothingHappened();
    });
});

describe('JSON that is nested too deeply', () => {
  const nested = (depth: number) => `{"room":"${ROOM}","text":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const DEPTHS = [1_000, 10_000, 50_000];
  const events = [...Object.keys(requestSchemas), 'unknown', 'disconnect'];
  for (const way of WAYS) {
    test(`by long-polling does no harm in any event, ${way}`, async () => {
      for (const depth of DEPTHS)
        await Promise.all(
          events.map(async (event) => {
            const path = await poll(way);
            const body = `421["${event}",${nested(depth)}]`;
            const { status } = await rawRequest(urlOf(site, way), { path, method: 'POST', body });
            assert([200, 400].includes(status), `${event}: ${status}`);
          }),
        );
      await assertNothingHappened();
    });

    test(`by WebSocket is invalid, or closes the transport, ${way}`, async () => {
      let socket = await FrameSocket.connect(urlOf(site, way), TOKEN);
      for (const depth of DEPTHS)
        for (const event of events) {
          if (socket.closed) socket = await FrameSocket.connect(urlOf(site, way), TOKEN);
          socket.send(`427["${event}",${nested(depth)}]`);
          const answer = await socket.textOrEnd((text) => text.startsWith('437['));
          if (answer !== undefined) assert.match(answer, /"code":"invalid"/, event);
          socket.texts.length = 0;
        }
      socket.close();
      await assertNothingHappened();
    });

    test(`in an HTTP call is invalid, ${way}`, async () => {
      for (const depth of DEPTHS)
        for (const path of [`/api/v1/rooms/${ROOM}/messages`, '/api/v1/guests']) {
          const headers = {
            authorization: `Bearer ${TOKEN}`,
            'idempotency-key': 'k',
            'content-type': 'application/json',
          };
          const { status } = await rawRequest(urlOf(site, way), { path, method: 'POST', headers, body: nested(depth) });
          assert.equal(status, 400, `${path} ${depth}`);
        }
      await assertNothingHappened();
    });
  }
});

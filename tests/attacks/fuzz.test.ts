/**
 * Thousands of changed packets and HTTP calls against one gateway. MARU_TEST_FUZZ_PACKETS sets
 * their number, MARU_TEST_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { readStore } from '../integration/store-search.ts';
import { tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import type { ExampleValues } from './examples.ts';
import { FrameSocket } from './frame-socket.ts';
import { type Call, calls, packets, postBodies, rawFrames, requests } from './mutations.ts';
import { type Site, startSite } from './site.ts';

const PACKETS = Number(process.env.MARU_TEST_FUZZ_PACKETS ?? 10_000);
/** Sent before the first measurement, so that caches are full and code is compiled. */
const WARM_UP_PACKETS = 2_000;
/** Number of packets and calls of one run, and of concurrent connections. */
const SOCKETS = 3;
const REQUESTS_PER_SOCKET = 50;
/** Sent last, because the first one that closes the WebSocket hides the rest. */
const BROKEN_PER_SOCKET = 2;
/** Sent on separate WebSockets. */
const FRAMES = 4;
const POSTS = 3;
const CALLS = 12;
const PACKETS_PER_RUN = SOCKETS * (REQUESTS_PER_SOCKET + BROKEN_PER_SOCKET) + FRAMES + POSTS + CALLS;
const GROWTH_MAX = 1.2;
/** The id of a request whose answer shows that the connection has been processed up to there. */
const FENCE = 999_999_999;

let site: Site;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const seen = { answers: 0, invalid: 0, closed: 0, statuses: new Map<number, number>() };

/** Replaced by a new id in each packet. */
const ID = 'id-to-replace';
let ids = 0;
const withId = (text: string) => text.replaceAll(ID, () => `id-${ids++}`);

const values: ExampleValues = {
  room: 'fuzzed',
  user: 'someone',
  token: tokenOf('fuzzer', { roles: ['admin'] }),
  clientMsgId: ID,
};
const arbitraries = {
  requests: requests(values),
  packets: packets(values),
  frames: rawFrames(values),
  posts: postBodies(values),
  calls: calls(values),
};

before(async () => {
  site = await startSite({
    environment: {
      ...WIDE_LIMITS,
      MARU_GUESTS: 'on',
      MARU_GUEST_SECRET: 'a-guest-secret-for-tests-only-0123456789',
      MARU_ADDRESS_CALLS_PER_SECOND: '100000',
      MARU_ADDRESS_CALLS_BURST: '100000',
      // All attacks use one user, and sessions by polling end by their timeout.
      MARU_CONNECTIONS_PER_USER_MAX: '10000',
      MARU_CONNECTIONS_PER_USER_CLUSTER_MAX: '10000',
      MARU_PING_INTERVAL_MS: '2000',
      MARU_PING_TIMEOUT_MS: '2000',
      NODE_OPTIONS: `--import ${new URL('collect-garbage.mjs', import.meta.url).href}`,
    },
  });
});
after(async () => {
  agent.destroy();
  await site?.stop();
});

/** Sends valid packets and waits for their answers. Then `attack` usually closes the socket. */
async function sendPackets(valid: readonly string[], attack: (socket: FrameSocket) => Promise<void>): Promise<void> {
  const socket = await FrameSocket.connect(site.gateway.url, values.token);
  await sendAll(socket, valid);
  await attack(socket);
  if (socket.closed) seen.closed++;
  socket.end();
}

async function sendAll(socket: FrameSocket, packets: readonly string[]): Promise<void> {
  for (const packet of packets) socket.send(withId(packet));
  await socket.ask(FENCE, 'history:read', { room: values.room, limit: 1 });
  for (const text of socket.texts.splice(0)) assertNoInternalError(text);
}

function assertNoInternalError(text: string): void {
  if (!text.startsWith('43')) return;
  seen.answers++;
  if (text.includes('"code":"invalid"')) seen.invalid++;
  assert(!text.includes('"code":"internal"'), text);
}

/** The status is 0 if the connection was cut. */
function http(call: Call): Promise<{ status: number; body: string }> {
  const { method, path, headers, body } = call;
  const { hostname, port } = new URL(site.gateway.url);
  return new Promise((resolve, reject) => {
    const sent = request({ agent, hostname, port, method, path, headers }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += String(chunk);
      resolve({ status: answer.statusCode ?? 0, body: text });
    });
    sent.setTimeout(10_000, () => reject(new Error(`no answer in 10 s: ${method} ${path} ${body}`)));
    sent.on('error', () => resolve({ status: 0, body: '' }));
    sent.end(body);
  });
}

const polling = (sid: string, body?: string): Call => ({
  method: body === undefined ? 'GET' : 'POST',
  path: `/socket.io/?EIO=4&transport=polling${sid === '' ? '' : `&sid=${encodeURIComponent(sid)}`}`,
  headers: {},
  body,
});

/** Signs in by long-polling, posts a body, and reads one answer. */
async function sendPost(body: string): Promise<void> {
  const opened = await http(polling(''));
  assert.equal(opened.status, 200);
  const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
  await http(polling(sid, `40${JSON.stringify({ token: values.token })}`));
  await http(polling(sid));
  const [posted] = await Promise.all([http(polling(sid, withId(body))), http(polling(sid, '1')).catch(() => {})]);
  countStatus(posted.status);
  assert(isFine(posted.status), `${posted.status} for ${body}`);
}

async function sendCall(call: Call): Promise<void> {
  const key = withId(call.headers['idempotency-key'] ?? '');
  const { status, body } = await http({ ...call, headers: { ...call.headers, 'idempotency-key': key } });
  countStatus(status);
  assert(isFine(status), `${status} ${body} for ${JSON.stringify(call)}`);
}

/** On a busy machine, presence may be too late, which is answered with 503. */
const isFine = (status: number) => status < 500 || status === 503;

const countStatus = (status: number) => seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);

/** What remains after all connections have ended. */
async function measure(): Promise<{ residentBytes: number; heapBytes: number }> {
  await poll('only the witness to be connected', async () => (await site.gateway.metric('maru_sessions')) === 1);
  await poll('no other transport', async () => (await site.gateway.metric('maru_connections')) === 1);
  const { child } = site.gateway;
  const answered = once(child, 'message');
  child.send('memory');
  return (await answered)[0] as { residentBytes: number; heapBytes: number };
}

/** One run: all attacks at the same time, with a correct client connected. */
async function run(seed: number): Promise<void> {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) => fc.sample(arbitrary, { seed, numRuns });
  const valid = sample(arbitraries.requests, SOCKETS * REQUESTS_PER_SOCKET);
  const broken = sample(arbitraries.packets, SOCKETS * BROKEN_PER_SOCKET);
  const frames = sample(arbitraries.frames, FRAMES);
  await Promise.all([
    ...Array.from({ length: SOCKETS }, (_, index) =>
      sendPackets(valid.slice(index * REQUESTS_PER_SOCKET, (index + 1) * REQUESTS_PER_SOCKET), (socket) =>
        sendAll(socket, broken.slice(index * BROKEN_PER_SOCKET, (index + 1) * BROKEN_PER_SOCKET)),
      ),
    ),
    // After a frame with a false length, no answer can be expected.
    sendPackets([], async (socket) => void socket.write(Buffer.concat(frames))),
    ...sample(arbitraries.posts, POSTS).map(sendPost),
    ...sample(arbitraries.calls, CALLS).map(sendCall),
    site.assertUnharmed(),
  ]);
}

async function fuzz(seed: number, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += PACKETS_PER_RUN) await run(seed + sent);
}

test(`${PACKETS.toLocaleString('en')} changed packets and calls do no harm`, async (t) => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed} (set MARU_TEST_SEED to repeat)`);
  await fuzz(seed - WARM_UP_PACKETS, WARM_UP_PACKETS);
  const before = await measure();
  const startedAt = performance.now();
  await fuzz(seed, PACKETS);
  const tookMs = performance.now() - startedAt;
  const after = await measure();
  const mib = (bytes: number) => (bytes / 1_048_576).toFixed(1);
  t.diagnostic(
    `${Math.round(tookMs)} ms; ${seen.answers} acknowledgements, ${seen.invalid} of them invalid; ` +
      `${seen.closed} connections closed; HTTP ${JSON.stringify([...seen.statuses].sort())}; heap ` +
      `${mib(before.heapBytes)} → ${mib(after.heapBytes)} MiB, resident ${mib(before.residentBytes)} → ${mib(after.residentBytes)} MiB`,
  );
  assert(seen.answers > PACKETS / 2, 'most packets must reach a handler');
  assert(seen.closed > PACKETS / 200, 'broken packets must arrive');
  for (const key of ['heapBytes', 'residentBytes'] as const)
    assert(after[key] <= before[key] * GROWTH_MAX, `${key}: ${before[key]}, then ${after[key]}`);
  for (const key of (await readStore(site.admin)).keys()) assert.match(key, KEYS);
});

/** The keys that the services create for valid rooms and users. */
const KEYS =
  /^maru:(\{[a-z0-9][a-z0-9._-]{0,63}\}:|list:|direct:|quota:|made:|connections:|audit:|probe:|rooms$|\{nodes\}:|\{control\}:|presence|p:|\{p)/;

/**
 * The trace of a message, from its request to its delivery on another node, as a real receiver gets
 * it.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { connect } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Array<{ key: string; value: Record<string, unknown> }>;
  node: string;
}

/**
 * Reports which modules of the tracing library a process loads. Its interfaces come with
 * prom-client anyway.
 */
const LOADED = /^loaded file:/m;
const NAME_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) {
    if (url.includes('/@opentelemetry/sdk-trace/')) console.error('loaded ' + url);
    return next(url, context);
  } });
`)}`;

const bodies: string[] = [];
const receiver = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    if (request.url === '/v1/traces') bodies.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
let running: Gateways;

before(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  running = await startGateways({
    gateways: 2,
    environment: {
      MARU_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
      NODE_OPTIONS: `--import=${NAME_LOADED}`,
    },
  });
});
after(async () => {
  // First, so that a failed start leaves nothing that keeps this process alive.
  receiver.close();
  receiver.closeAllConnections();
  await running.stop();
});

interface Export {
  resourceSpans: Array<{
    resource: { attributes: Array<{ key: string; value: { stringValue: string } }> };
    scopeSpans: Array<{ spans: Span[] }>;
  }>;
}

const spans = (): Span[] =>
  bodies.flatMap((body) =>
    (JSON.parse(body) as Export).resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const node = resource.attributes.find(({ key }) => key === 'service.instance.id')?.value.stringValue ?? '';
      return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, node })));
    }),
  );

const attribute = (span: Span, key: string): string | undefined => {
  const value = span.attributes.find((one) => one.key === key)?.value;
  return value === undefined ? undefined : String(Object.values(value)[0]);
};

for (const [kind, more] of [
  ['a message', {}],
  ['a message with mentions', { mentions: ['planted-friend'] }],
] satisfies Array<[string, { mentions?: string[] }]>)
  test(`request, append and the deliveries of ${kind} on all nodes are one trace without texts`, async () => {
    const [first, second] = running.gateways.map(({ url }) => url) as [string, string];
    const token = tokenOf('planted-user');
    const sender = await connect(first, { token });
    const reader = await connect(second, { token });
    const room = `traced-${Object.keys(more).length}`;
    const ofRoom = () => spans().filter((span) => attribute(span, 'maru.room') === room);
    await sender.ok('room:join', { room });
    await reader.ok('room:join', { room });
    const { seq } = await sender.ok('message:send', { room, clientMsgId: 'planted-id', text: 'planted text', ...more });
    await reader.until(room, 1);

    const found = await poll('four spans', () => (ofRoom().length >= 4 ? ofRoom() : undefined));
    assert.equal(found.length, 4);
    const [root] = found.filter(({ name }) => name === 'message:send');
    assert(root !== undefined);
    assert.equal(root.node, 'gateway-1');
    assert.equal(root.parentSpanId ?? '', '');
    assert.equal(attribute(root, 'maru.seq'), String(seq));
    assert.equal(attribute(root, 'maru.outcome'), 'stored');
    for (const span of found) {
      assert.equal(span.traceId, root.traceId, span.name);
      assert.equal(attribute(span, 'maru.room'), room);
      assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
      if (span !== root) assert.equal(span.parentSpanId, root.spanId, span.name);
    }
    const [append] = found.filter(({ name }) => name === 'append');
    assert.equal(append?.node, 'gateway-1');
    assert.equal(append && attribute(append, 'maru.batch.size'), '1');
    const delivered = found.filter(({ name }) => name === 'deliver').map(({ node }) => node);
    assert.deepEqual(delivered.sort(), ['gateway-1', 'gateway-2']);

    for (const planted of ['planted', token]) assert.ok(!bodies.join('').includes(planted), `${planted} is in a trace`);
    sender.close();
    reader.close();
  });

test('the trace of a message that cannot be stored contains the error code', async () => {
  const [gateway] = running.gateways as [(typeof running.gateways)[0]];
  const sender = await connect(gateway.url, { token: tokenOf('mina') });
  await sender.refused('not_found', 'message:send', { room: 'never-made', clientMsgId: 'x', text: 'x' });
  const of = () => spans().filter((span) => attribute(span, 'maru.room') === 'never-made');
  await poll('its spans', () => of().length === 2);
  for (const span of of()) assert.equal(attribute(span, 'maru.outcome'), 'not_found');
  sender.close();
});

test('an unreachable receiver does not affect chat and is logged', async () => {
  const [gateway] = running.gateways as [(typeof running.gateways)[0]];
  receiver.close();
  receiver.closeAllConnections();
  const sender = await connect(gateway.url, { token: tokenOf('mina') });
  await sender.ok('room:join', { room: 'untold' });
  await sender.ok('message:send', { room: 'untold', clientMsgId: 'x', text: 'x' });
  await poll('the log', () => gateway.output().includes('traces were not sent'), { timeoutMs: 20_000 });
  running.assertAlive();
  sender.close();
});

test('without an endpoint the tracing library is not loaded', async (t) => {
  assert.match(running.gateways[0]?.output() ?? '', LOADED, 'with one it is');
  const untraced = await startGateways({
    redis: running.redis,
    environment: { NODE_OPTIONS: `--import=${NAME_LOADED}` },
  });
  t.after(() => untraced.stop());
  const client = await connect(untraced.gateways[0]?.url ?? '', { token: tokenOf('mina') });
  await client.ok('room:join', { room: 'plain' });
  await client.ok('message:send', { room: 'plain', clientMsgId: 'x', text: 'x' });
  client.close();
  assert.doesNotMatch(untraced.gateways[0]?.output() ?? '', LOADED);
});

/** Compares the dashboard, the alerts and docs/metrics.md with scrapes of real services. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { findFreePort, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { ROWS } from '../../deploy/monitoring/grafana/rows.ts';
import { createMetrics as createArchiverMetrics } from '../../services/archiver/src/metrics.ts';
import { findProgram } from '../../tools/bootstrap/find-program.mjs';
import { connect } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';

const readText = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const ROOM = 'planted-room';
const USER = 'planted-user';

let redis: TestRedis;
let running: Gateways;
before(async () => {
  redis = await startTestRedis({ appendOnly: 'always' });
  running = await startGateways({ gateways: 2, redis });
});
after(async () => {
  // Stop it first, so that a failed start leaves nothing behind.
  await redis.stop();
  await running.stop();
});

/** Names in a scrape, including those of a histogram's samples. */
function namesIn(scrape: string): { families: Map<string, string>; samples: Set<string> } {
  const families = new Map<string, string>();
  for (const [, name, type] of scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)) families.set(name as string, type as string);
  const samples = new Set(families.keys());
  for (const [name, type] of families)
    if (type === 'histogram' || type === 'summary')
      for (const suffix of ['bucket', 'sum', 'count']) samples.add(`${name}_${suffix}`);
  return { families, samples };
}

/** Metrics in an expression. Names in braces and quotes are labels. */
const metricsIn = (expression: string): string[] => {
  const withoutLabels = expression.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}/g, '');
  return withoutLabels.match(/\b(?:maru|nodejs|process|redis|nginx)_[a-z0-9_]+/g) ?? [];
};

interface Rules {
  groups: Array<{ rules: Array<{ alert: string; expr: string }> }>;
}
const rules = (parse(readText('deploy/monitoring/prometheus/rules.yml')) as Rules).groups.flatMap(
  (group) => group.rules,
);
const wanted = new Map<string, string>();
for (const { title, panels } of ROWS)
  for (const panel of panels)
    for (const expression of Object.values(panel.show))
      for (const name of metricsIn(expression)) wanted.set(name, `the panel ${title} / ${panel.title}`);
for (const { alert, expr } of rules) for (const name of metricsIn(expr)) wanted.set(name, `the alert ${alert}`);

const archiver = new Registry();
createArchiverMetrics(archiver);
const scrapeAll = async () => {
  const services = [...running.gateways, running.presence].map((service) => service.scrape());
  return (await Promise.all([...services, archiver.metrics()])).join('\n');
};

test('every metric of the dashboard and the alerts is in a scrape', async () => {
  const { samples } = namesIn(await scrapeAll());
  assert.ok(wanted.size > 30, `they name ${wanted.size}`);
  for (const [name, where] of wanted)
    if (!/^(redis|nginx)_/.test(name)) assert.ok(samples.has(name), `${name} of ${where} does not exist`);
});

test('docs/metrics.md lists exactly our metrics', async () => {
  const { families } = namesIn(await scrapeAll());
  const ours = [...families.keys()].filter((name) => name.startsWith('maru_')).sort();
  const page = new Set([...readText('docs/metrics.md').matchAll(/^\| `(maru_\w+)/gm)].map(([, name]) => name));
  assert.deepEqual([...page].sort(), ours);
});

test('names follow the conventions, and labels contain no users, rooms or connections', async () => {
  const [first, second] = running.gateways.map(({ url }) => url) as [string, string];
  const sender = await connect(first, { token: tokenOf(USER) });
  const reader = await connect(second, { token: tokenOf(USER) });
  await sender.ok('room:join', { room: ROOM });
  await reader.ok('room:join', { room: ROOM });
  await sender.ok('message:send', { room: ROOM, clientMsgId: 'planted-id', text: 'planted text' });
  await reader.until(ROOM, 1);
  const ids = [sender, reader].map((client) => client.session.sessionId);
  await poll('presence to get a report', async () => (await running.presence.metric('maru_presence_ops_total')) > 0);
  const scrape = await scrapeAll();
  for (const planted of [ROOM, USER, 'planted', ...ids])
    assert.ok(!scrape.includes(planted), `${planted} is in a metric`);
  for (const [name, type] of namesIn(scrape).families) {
    if (!name.startsWith('maru_')) continue;
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    if (type === 'histogram') assert.match(name, /_(seconds|bytes|messages)$/);
    assert.doesNotMatch(name, /_(ms|millis|milliseconds|kb|mb)(_|$)/, `${name} is not in base units`);
  }
  sender.close();
  reader.close();
});

test('a message is counted where it arrives and where it is delivered', async () => {
  const [first, second] = running.gateways as [(typeof running.gateways)[0], (typeof running.gateways)[0]];
  const sender = await connect(first.url, { token: tokenOf('mina') });
  const reader = await connect(second.url, { token: tokenOf('jun') });
  const room = 'counted';
  await sender.ok('room:join', { room });
  await reader.ok('room:join', { room });
  const read = async () => ({
    stored: await first.metric('maru_messages_sent_total', 'outcome="stored"'),
    appended: await first.metric('maru_store_call_duration_seconds_count', 'call="append"'),
    batched: await first.metric('maru_append_batch_messages_sum'),
    acknowledged: await first.metric('maru_request_duration_seconds_count', 'event="message:send"'),
    delivered: await second.metric('maru_messages_delivered_total'),
    timed: await second.metric('maru_delivery_delay_seconds_count'),
    lateTimed: await second.metric('maru_delivery_delay_seconds_sum'),
  });
  const earlier = await read();
  for (let i = 1; i <= 5; i++) await sender.ok('message:send', { room, clientMsgId: `m${i}`, text: 'hello' });
  await reader.until(room, 5);
  const later = await read();
  for (const name of ['stored', 'appended', 'batched', 'acknowledged', 'delivered', 'timed'] as const)
    assert.equal(later[name] - earlier[name], 5, name);
  const delayS = later.lateTimed - earlier.lateTimed;
  assert.ok(delayS >= 0 && delayS < 60, `five messages took ${delayS} s in all, by the store's clock`);
  sender.close();
  reader.close();
});

test('metrics show the state of the store and its connections', async () => {
  const [gateway] = running.gateways as [(typeof running.gateways)[0]];
  const roads = () => gateway.metric('maru_redis_connection_up');
  assert.equal(await roads(), 6);
  assert.equal(await gateway.metric('maru_store_degraded'), 0);
  assert.equal(await gateway.metric('maru_subscriber_alive'), 1);
  await running.redis.kill();
  await poll(
    'the loss to be reported',
    async () => (await roads()) === 0 && (await gateway.metric('maru_store_degraded')) === 1,
  );
  await running.redis.restart();
  await poll(
    'the return to be reported',
    async () => (await roads()) === 6 && (await gateway.metric('maru_subscriber_alive')) === 1,
  );
});

const exporter = findProgram(['prometheus-redis-exporter', 'redis_exporter'], process.env);
test('every metric of redis_exporter in the dashboard and the alerts is in its scrape', {
  skip: exporter === null && 'redis_exporter is not here',
}, async (t) => {
  const port = await findFreePort();
  const child: ChildProcess = spawn(
    exporter as string,
    [`--redis.addr=${running.redis.url}`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' },
  );
  t.after(() => child.kill('SIGKILL'));
  const scrape = await poll('the exporter', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
    const text = await answer?.text();
    return text?.includes('redis_up 1') ? text : undefined;
  });
  const { samples } = namesIn(scrape);
  const theirs = [...wanted].filter(([name]) => name.startsWith('redis_'));
  assert.ok(theirs.length > 0);
  for (const [name, where] of theirs) assert.ok(samples.has(name), `${name} of ${where} does not exist`);
});

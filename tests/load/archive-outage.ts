/**
 * Stops PostgreSQL under load. Prints the times of sends before and during the outage, what old
 * pages and searches answer, and how long the archive needs to catch up.
 *
 *   node tests/load/archive-outage.ts [minutes=10] [messages a second=100]
 */
import { availableParallelism, cpus } from 'node:os';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { poll, sleep } from '../support/poll.ts';
import { quantile, type SteadyCrowd, startCrowd } from '../support/steady-crowd.ts';

const [, , minutes = '10', perSecond = '100'] = process.argv;
const CLIENTS = 200;
const CLIENTS_EACH = 50;
/** Small, so that old pages soon need the archive. */
const KEPT = '2000';
const WARM_MS = 15_000;
const BEFORE_MS = 120_000;
const LOOK_EVERY_MS = 5_000;
const CAUGHT_UP_MS = 600_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

const summary = ({ tookMs, refused }: ReturnType<SteadyCrowd['takeAnswers']>) =>
  `${tookMs.length} sends, p50 ${quantile(tookMs, 0.5).toFixed(1)} ms, p99 ${quantile(tookMs, 0.99).toFixed(1)} ms, ` +
  `refused ${JSON.stringify(Object.fromEntries(refused))}`;

/** The answer to an old page or a search. */
async function look({ clients, rooms }: SteadyCrowd, which: 'history:read' | 'search') {
  const startedAt = performance.now();
  const room = rooms[0] ?? '';
  const payload = which === 'search' ? { room, query: 'play' } : { room, before: 20, limit: 10 };
  const ack = await clients[0]?.request(which, payload as never);
  return { tookMs: performance.now() - startedAt, code: ack?.ok ? 'ok' : (ack?.error.code ?? 'silent') };
}

/** Polls until the time is over. @returns lines about the answers */
async function watch(crowd: SteadyCrowd, untilMs: number): Promise<string[]> {
  const seen = new Map<string, number[]>();
  while (Date.now() < untilMs) {
    for (const which of ['history:read', 'search'] as const) {
      const { tookMs, code } = await look(crowd, which);
      seen.set(`${which} ${code}`, [...(seen.get(`${which} ${code}`) ?? []), tookMs]);
    }
    await sleep(Math.max(0, Math.min(LOOK_EVERY_MS, untilMs - Date.now())));
  }
  return [...seen].map(
    ([what, times]) => `  ${what}: ${times.length} times, slowest ${Math.max(...times).toFixed(0)} ms`,
  );
}

/** The entries that the archive lacks, and the age of the oldest hint. */
async function lag(cluster: Cluster): Promise<{ entries: number; seconds: number }> {
  const archiver = (await cluster.status()).processes.find(({ kind }) => kind === 'archiver');
  const text = await (await fetch(`${archiver?.ops}/metrics`)).text();
  const read = (name: string) => Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { entries: read('maru_archiver_behind_entries'), seconds: read('maru_archiver_lag_seconds') };
}

say(
  `${availableParallelism()} × ${cpus()[0]?.model}; ${CLIENTS} clients in rooms of ${CLIENTS_EACH}, ${perSecond} messages a second`,
);
const cluster = await startCluster({
  gateways: 2,
  archive: true,
  env: { MARU_RETENTION_ENTRIES_MIN: KEPT, MARU_RETENTION_ENTRIES_MAX: KEPT },
});
try {
  const crowd = await startCrowd({
    cluster,
    clients: CLIENTS,
    clientsEach: CLIENTS_EACH,
    perSecond: Number(perSecond),
  });
  await sleep(WARM_MS);
  crowd.takeAnswers();
  const before = await watch(crowd, Date.now() + BEFORE_MS);
  say(`before: ${summary(crowd.takeAnswers())}\n${before.join('\n')}`);
  await cluster.kill('postgres');
  const during = await watch(crowd, Date.now() + Number(minutes) * 60_000);
  say(`PostgreSQL down for ${minutes} min: ${summary(crowd.takeAnswers())}\n${during.join('\n')}`);
  await cluster.restart('postgres');
  const restartedAtMs = Date.now();
  say(`at its return: ${JSON.stringify(await lag(cluster))}`);
  // The load continues. One or two seconds behind is normal.
  const isLevel = async () => (await lag(cluster)).seconds < 2;
  await poll('the archive to catch up', isLevel, { timeoutMs: CAUGHT_UP_MS, everyMs: 200 });
  say(`caught up after ${((Date.now() - restartedAtMs) / 1_000).toFixed(1)} s: ${JSON.stringify(await lag(cluster))}`);
  say(`meanwhile: ${summary(crowd.takeAnswers())}`);
  crowd.stop();
} finally {
  await cluster.stop();
}

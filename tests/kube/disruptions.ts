/** What an operator does to a running cluster, and what a careless one does. */
import assert from 'node:assert/strict';
import type { Fault, FaultContext } from '../faults/fault.ts';
import { poll } from '../support/poll.ts';
import { watchEdge } from './edge-watch.ts';
import type { Pod } from './kube.ts';
import type { KubeSite } from './site.ts';

type Disruption = Fault<KubeSite>;
type Context = FaultContext<KubeSite>;

/** Clients of pods that left come back after pauses of their own, and the last of them may just have been cut. */
const WHOLE_WITHIN_MS = 10_000;
/** So soon after it is ready a gateway has its first newcomer: a second of the edge's own, and what Kubernetes takes to tell of it. */
const LEARNED_WITHIN_MS = 10_000;
/** The preStop pause of a gateway: afterwards it drains, and must get nobody. */
const FORGOTTEN_WITHIN_MS = 10_000;
const REPLACED_WITHIN_MS = 120_000;
const LOOK_MS = 250;
const GATEWAYS_FEW = 2;
const GATEWAYS_MANY = 4;
const WRONG_SHOWN_WITHIN_MS = 90_000;

const seconds = (ms: number | undefined) =>
  ms === undefined || ms === Number.POSITIVE_INFINITY ? 'never' : `${(ms / 1_000).toFixed(1)} s`;

/** Does it under the eyes of newcomers, and waits until everything that left is gone: only then have all clients moved. */
async function watched(
  context: Context,
  say: (line: string) => void,
  act: () => Promise<void>,
  handshakesMayFail = false,
): Promise<void> {
  const { environment: site, violation } = context;
  const watch = watchEdge({ url: site.url, gateways: () => site.kube.pods('gateway') });
  context.began();
  try {
    await act();
    await site.complete();
  } finally {
    const { learned, forgotten, failures, handshakes } = await watch.finish();
    for (const { name, afterMs } of learned)
      if (afterMs === undefined || afterMs > LEARNED_WITHIN_MS)
        violation(`${name} had its first newcomer: ${seconds(afterMs)}`);
    for (const { name, afterMs } of forgotten)
      if (afterMs > FORGOTTEN_WITHIN_MS)
        violation(`${name} got a newcomer ${seconds(afterMs)} after it began to leave`);
    const [failure] = failures;
    if (failure !== undefined && !handshakesMayFail)
      violation(`${failures.length} of ${handshakes} newcomers failed: ${failure.failure}`);
    const slowest = (what: string, seen: ReadonlyArray<{ afterMs: number | undefined }>) =>
      seen.length === 0
        ? []
        : `${what} ${seconds(Math.max(...seen.map(({ afterMs }) => afterMs ?? Number.POSITIVE_INFINITY)))}`;
    const told = [
      `${handshakes} newcomers, ${failures.length} failed`,
      slowest(`first one to each of ${learned.length} new gateways within`, learned),
      slowest(`last one to each of ${forgotten.length} leaving gateways within`, forgotten),
    ];
    say(`          ${told.flat().join('; ')}`);
  }
  context.lifted();
}

/** As many serve as before, and the one that left is gone. */
async function replaced(site: KubeSite, gone: Pod, count: number): Promise<void> {
  await poll(
    `${gone.name} to be replaced`,
    async () => {
      const pods = await site.kube.pods(gone.service);
      const serving = pods.filter(({ ready, leaving }) => ready && !leaving);
      return serving.length >= count && pods.every(({ uid }) => uid !== gone.uid);
    },
    { timeoutMs: REPLACED_WITHIN_MS, everyMs: LOOK_MS },
  );
}

export function createDisruptions(say: (line: string) => void): readonly Disruption[] {
  const base = { store: 'fine', holdMs: [0, 0], wholeWithinMs: WHOLE_WITHIN_MS } as const;
  const restart = (service: string): Disruption => ({
    ...base,
    name: `restarted: ${service}`,
    about: `kubectl rollout restart deployment/${service}`,
    inject: (context) =>
      watched(context, say, async () => {
        await context.environment.kube.kubectl(['rollout', 'restart', `deployment/${service}`]);
      }),
  });
  const scale = (word: string, count: number): Disruption => ({
    ...base,
    name: `scaled ${word}`,
    about: `kubectl scale deployment/gateway --replicas=${count}`,
    inject: (context) =>
      watched(context, say, async () => {
        await context.environment.kube.kubectl(['scale', 'deployment/gateway', `--replicas=${count}`]);
      }),
  });
  const evict = (service: string): Disruption => ({
    ...base,
    name: `evicted: ${service}`,
    about: `every pod of ${service} through the Eviction API, each once the one before is replaced`,
    inject: (context) =>
      watched(context, say, async () => {
        const { environment: site } = context;
        const pods = await site.serving(service);
        assert(pods.length > 0);
        for (const pod of pods) {
          await site.kube.evict(pod);
          await replaced(site, pod, pods.length);
        }
      }),
  });
  const deleteByForce = (service: string): Disruption => ({
    ...base,
    name: `deleted: ${service}`,
    about: `kubectl delete pod --grace-period=0 --force of one pod of ${service}`,
    inject: (context) =>
      watched(
        context,
        say,
        async () => {
          const { environment: site, random } = context;
          const pods = await site.serving(service);
          const pod = random.pick(pods);
          await site.kube.kubectl(['delete', 'pod', pod.name, '--grace-period=0', '--force']);
          await replaced(site, pod, pods.length);
        },
        // Connections are led to the dead edge until every node has heard of its end.
        service === 'edge',
      ),
  });
  return [
    restart('gateway'),
    restart('presence'),
    restart('edge'),
    scale('up', GATEWAYS_MANY),
    scale('down', GATEWAYS_FEW),
    evict('gateway'),
    evict('presence'),
    evict('edge'),
    evict('redis'),
    deleteByForce('gateway'),
    deleteByForce('presence'),
    deleteByForce('edge'),
    {
      ...base,
      name: 'misconfigured',
      about:
        'a setting that is wrong: the new pod says so in one line and stops, the old ones serve on; then rollout undo',
      inject: (context) =>
        watched(context, say, async () => {
          const { kube } = context.environment;
          await kube.kubectl(['set', 'env', 'deployment/gateway', 'MARU_DRAIN_PER_SECOND=fast']);
          try {
            const line = await poll('the wrong setting to be told', () => firstWords(context.environment), {
              timeoutMs: WRONG_SHOWN_WITHIN_MS,
              everyMs: LOOK_MS,
            });
            say(`          it says: ${line}`);
            if (!/^Configuration: MARU_DRAIN_PER_SECOND must be .*$/.test(line)) context.violation(`it says: ${line}`);
          } finally {
            await kube.kubectl(['rollout', 'undo', 'deployment/gateway']);
          }
        }),
    },
  ];
}

/** All that a gateway printed which does not get up; undefined while there is none. */
async function firstWords({ kube }: KubeSite): Promise<string | undefined> {
  const failing = (await kube.pods('gateway')).find(
    ({ restarts, waiting }) => restarts > 0 || waiting === 'CrashLoopBackOff',
  );
  if (failing === undefined) return undefined;
  const words = (await kube.kubectl(['logs', failing.name, '--previous'])).trim();
  // Kubernetes' own answer while one container gives way to the next.
  return words.startsWith('unable to retrieve container logs') ? undefined : words;
}

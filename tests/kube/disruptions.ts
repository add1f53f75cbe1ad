/** Disruptions of a running cluster: operations, failures and a configuration mistake. */
import assert from 'node:assert/strict';
import type { Fault, FaultContext } from '../faults/fault.ts';
import { poll } from '../support/poll.ts';
import { watchEdge } from './edge-watch.ts';
import type { Pod } from './kube.ts';
import type { KubeSite } from './site.ts';

type Disruption = Fault<KubeSite>;
type Context = FaultContext<KubeSite>;

/**
 * Disconnected clients wait before they reconnect, and the last one may just have been
 * disconnected.
 */
const WHOLE_WITHIN_MS = 10_000;
/**
 * From ready to the first new session of a gateway: nginx resolves names every second, and
 * Kubernetes needs time to publish the endpoint.
 */
const FIRST_SESSION_TIMEOUT_MS = 10_000;
/** The preStop sleep of a gateway. Afterwards it drains and must get no new session. */
const LAST_SESSION_TIMEOUT_MS = 10_000;
const REPLACED_TIMEOUT_MS = 120_000;
const POLL_EVERY_MS = 250;
const GATEWAYS_FEW = 2;
/** With the archive, the requests of all pods then still fit a node with two cores. */
const GATEWAYS_MANY = 3;
const CONFIG_ERROR_TIMEOUT_MS = 90_000;

const seconds = (ms: number | undefined) =>
  ms === undefined || ms === Number.POSITIVE_INFINITY ? 'never' : `${(ms / 1_000).toFixed(1)} s`;

/**
 * Runs the disruption while new sessions are opened. Waits until the terminating pods are gone,
 * because they may have clients until then.
 */
async function observed(
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
    const { firstSessions, lastSessions, failures, handshakes } = await watch.finish();
    for (const { name, afterMs } of firstSessions)
      if (afterMs === undefined || afterMs > FIRST_SESSION_TIMEOUT_MS)
        violation(`${name} got its first new session after: ${seconds(afterMs)}`);
    for (const { name, afterMs } of lastSessions)
      if (afterMs > LAST_SESSION_TIMEOUT_MS)
        violation(`${name} got a new session ${seconds(afterMs)} after it began to terminate`);
    const [failure] = failures;
    if (failure !== undefined && !handshakesMayFail)
      violation(`${failures.length} of ${handshakes} new sessions failed: ${failure.failure}`);
    const slowest = (what: string, measured: ReadonlyArray<{ afterMs: number | undefined }>) =>
      measured.length === 0
        ? []
        : `${what} ${seconds(Math.max(...measured.map(({ afterMs }) => afterMs ?? Number.POSITIVE_INFINITY)))}`;
    const summary = [
      `${handshakes} new sessions, ${failures.length} failed`,
      slowest(`first one on each of ${firstSessions.length} new gateways within`, firstSessions),
      slowest(`last one on each of ${lastSessions.length} terminating gateways within`, lastSessions),
    ];
    say(`          ${summary.flat().join('; ')}`);
  }
  context.lifted();
}

/** Waits until the pod is gone and `count` pods of its service are ready. */
async function replaced(site: KubeSite, gone: Pod, count: number): Promise<void> {
  await poll(
    `${gone.name} to be replaced`,
    async () => {
      const pods = await site.kube.pods(gone.service);
      const serving = pods.filter(({ ready, terminating }) => ready && !terminating);
      return serving.length >= count && pods.every(({ uid }) => uid !== gone.uid);
    },
    { timeoutMs: REPLACED_TIMEOUT_MS, everyMs: POLL_EVERY_MS },
  );
}

export function createDisruptions(say: (line: string) => void): readonly Disruption[] {
  const base = { store: 'fine', holdMs: [0, 0], wholeWithinMs: WHOLE_WITHIN_MS } as const;
  const restart = (service: string): Disruption => ({
    ...base,
    name: `restarted: ${service}`,
    about: `kubectl rollout restart deployment/${service}`,
    inject: (context) =>
      observed(context, say, async () => {
        await context.environment.kube.kubectl(['rollout', 'restart', `deployment/${service}`]);
      }),
  });
  const scale = (word: string, count: number): Disruption => ({
    ...base,
    name: `scaled ${word}`,
    about: `kubectl scale deployment/gateway --replicas=${count}`,
    inject: (context) =>
      observed(context, say, async () => {
        await context.environment.kube.kubectl(['scale', 'deployment/gateway', `--replicas=${count}`]);
      }),
  });
  const evict = (service: string): Disruption => ({
    ...base,
    name: `evicted: ${service}`,
    about: `every pod of ${service} through the Eviction API, each after the previous one is replaced`,
    inject: (context) =>
      observed(context, say, async () => {
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
      observed(
        context,
        say,
        async () => {
          const { environment: site, random } = context;
          const pods = await site.serving(service);
          const pod = random.pick(pods);
          await site.kube.kubectl(['delete', 'pod', pod.name, '--grace-period=0', '--force']);
          await replaced(site, pod, pods.length);
        },
        // Connections reach the dead nginx pod until every node updated its endpoints.
        service === 'edge',
      ),
  });
  return [
    restart('gateway'),
    restart('presence'),
    restart('edge'),
    restart('archiver'),
    scale('up', GATEWAYS_MANY),
    scale('down', GATEWAYS_FEW),
    evict('gateway'),
    evict('presence'),
    evict('edge'),
    evict('redis'),
    evict('postgres'),
    deleteByForce('gateway'),
    deleteByForce('presence'),
    deleteByForce('edge'),
    deleteByForce('archiver'),
    {
      ...base,
      name: 'misconfigured',
      about:
        'an invalid setting: the new pod reports it in one line and stops, the old pods keep serving; then rollout undo',
      inject: (context) =>
        observed(context, say, async () => {
          const { kube } = context.environment;
          await kube.kubectl(['set', 'env', 'deployment/gateway', 'MARU_DRAIN_PER_SECOND=fast']);
          try {
            const line = await poll(
              'the invalid setting to be reported',
              () => outputOfFailingGateway(context.environment),
              {
                timeoutMs: CONFIG_ERROR_TIMEOUT_MS,
                everyMs: POLL_EVERY_MS,
              },
            );
            say(`          its output: ${line}`);
            if (!/^Configuration: MARU_DRAIN_PER_SECOND must be .*$/.test(line))
              context.violation(`its output: ${line}`);
          } finally {
            await kube.kubectl(['rollout', 'undo', 'deployment/gateway']);
          }
        }),
    },
  ];
}

/** The output of a gateway that fails to start; undefined while no gateway fails. */
async function outputOfFailingGateway({ kube }: KubeSite): Promise<string | undefined> {
  const failing = (await kube.pods('gateway')).find(
    ({ restarts, waiting }) => restarts > 0 || waiting === 'CrashLoopBackOff',
  );
  if (failing === undefined) return undefined;
  const output = (await kube.kubectl(['logs', failing.name, '--previous'])).trim();
  // The API server answers this while a new container replaces the failed one.
  return output.startsWith('unable to retrieve container logs') ? undefined : output;
}

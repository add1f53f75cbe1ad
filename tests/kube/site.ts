/** The local overlay in a separate namespace, as the environment of a trial. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { PresenceSnapshot } from '@maru/protocol';
import { buildOverlay, findBuilder } from '../../tools/check-manifests.mjs';
import type { Environment } from '../faults/environment.ts';
import { call } from '../support/http.ts';
import { poll, sleep } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';
import { shakeHands } from './edge-watch.ts';
import { type Kube, openKube, type Pod, runKubectl } from './kube.ts';
import { type Manifest, parseManifests, workloads } from './manifest.ts';
import { Misuse } from './options.ts';

export interface KubeSite extends Environment {
  kube: Kube;
  url: string;
  manifests: readonly Manifest[];
  /** From `kubectl apply` until every pod was ready. */
  readyAfterMs: number;
  /** Pods of a service that are ready and not terminating. */
  serving(service: string): Promise<Pod[]>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_TIMEOUT_MS = 180_000;
/** The slowest rollout replaces three pods, each with a start, a drain and a grace period. */
const COMPLETE_TIMEOUT_MS = 300_000;
const REMOVED_TIMEOUT_MS = 120_000;
const URL_TIMEOUT_MS = 30_000;
/** Enough that each of the two nginx pods very probably gets one. */
const HANDSHAKES_IN_A_ROW = 20;
const POLL_EVERY_MS = 250;
const TOKEN_LIFETIME_MS = 12 * 3_600_000;
const NO_IMAGE = /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName)$/;

interface Service {
  spec: { ports: Array<{ port: number; nodePort?: number }> };
  status: { loadBalancer: { ingress?: Array<{ ip?: string; hostname?: string }> } };
}
interface Nodes {
  items: Array<{ status: { addresses: Array<{ type: string; address: string }> } }>;
}

/** Possible addresses of the public Service, best first. */
export function candidateUrls(service: Service, nodes: Nodes): string[] {
  const [port] = service.spec.ports;
  if (port === undefined) return [];
  const loadBalancers = (service.status.loadBalancer.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const addresses = nodes.items.flatMap(({ status }) =>
    status.addresses.filter(({ type }) => type !== 'Hostname').map(({ address }) => address),
  );
  const onNodes =
    port.nodePort === undefined ? [] : ['127.0.0.1', ...addresses].map((host) => `${host}:${port.nodePort}`);
  return [...loadBalancers.map((host) => `${host}:${port.port}`), ...onNodes].map((host) => `http://${host}`);
}

async function answers(url: string): Promise<boolean> {
  return (await shakeHands(url)).route !== undefined;
}

/** An nginx pod that started before the gateways may get an empty DNS answer for some seconds. */
async function waitForEveryEdge(url: string): Promise<void> {
  let inARow = 0;
  await poll(
    `${HANDSHAKES_IN_A_ROW} successful handshakes in a row`,
    async () => {
      inARow = (await answers(url)) ? inARow + 1 : 0;
      return inARow >= HANDSHAKES_IN_A_ROW;
    },
    { timeoutMs: URL_TIMEOUT_MS, everyMs: POLL_EVERY_MS / 10 },
  );
}

async function findUrl(kube: Kube): Promise<string> {
  const service = (await kube.get(`/api/v1/namespaces/${kube.namespace}/services/edge`)) as Service;
  const candidates = candidateUrls(service, (await kube.get('/api/v1/nodes')) as Nodes);
  const deadlineMs = Date.now() + URL_TIMEOUT_MS;
  while (Date.now() < deadlineMs) {
    for (const url of candidates) if (await answers(url)) return url;
    await sleep(POLL_EVERY_MS);
  }
  throw new Misuse(`The public Service does not answer at ${candidates.join(', ')}. Give its address with --url.`);
}

/** @throws {Misuse} when a pod can never be ready because its image is missing */
async function allReady(kube: Kube, expected: ReadonlyMap<string, number>): Promise<boolean> {
  const pods = await kube.pods();
  const imageless = pods.find(({ waiting }) => waiting !== undefined && NO_IMAGE.test(waiting));
  if (imageless !== undefined)
    throw new Misuse(
      `The image of ${imageless.name} is not on its node (${imageless.waiting}): build and load the images, or use --load-images.`,
    );
  return (
    pods.every(({ terminating }) => !terminating) &&
    [...expected].every(
      ([service, count]) => pods.filter((pod) => pod.service === service && pod.ready).length === count,
    )
  );
}

export async function startKubeSite(options: {
  url: string | undefined;
  say: (line: string) => void;
}): Promise<KubeSite> {
  const builder = findBuilder(process.env);
  assert(builder !== null);
  const namespace = `maru-test-${randomBytes(3).toString('hex')}`;
  const yaml = await buildOverlay({ root: ROOT, builder, overlay: 'local', namespace });
  const manifests = parseManifests(yaml);
  const kube = await openKube(namespace);
  const remove = async () => {
    await runKubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
    const isGone = async () => (await runKubectl(['get', 'namespace', namespace, '--ignore-not-found'])) === '';
    await poll('the namespace to be deleted', isGone, { timeoutMs: REMOVED_TIMEOUT_MS, everyMs: 1_000 })
      .catch((error: unknown) => options.say(`${namespace} is still being deleted: ${String(error)}`))
      .finally(() => kube.close());
  };
  try {
    const appliedAtMs = performance.now();
    const printed = await kube.kubectl(['apply', '-f', '-'], yaml);
    options.say(`namespace ${namespace}: ${printed.trim().split('\n').length} objects applied`);
    const expected = new Map(workloads(manifests).map(({ metadata, spec }) => [metadata.name, spec.replicas ?? 1]));
    await poll('every pod to be ready', () => allReady(kube, expected), {
      timeoutMs: READY_TIMEOUT_MS,
      everyMs: POLL_EVERY_MS,
    });
    const readyAfterMs = performance.now() - appliedAtMs;
    const url = options.url ?? (await findUrl(kube));
    await waitForEveryEdge(url);
    return createSite({ kube, url, manifests, readyAfterMs, remove });
  } catch (error) {
    await printDiagnosis(kube, options.say);
    await remove();
    throw error;
  }
}

/** Prints the pods and the warning events. */
async function printDiagnosis(kube: Kube, say: (line: string) => void): Promise<void> {
  const commands = [
    ['get', 'pods', '-o', 'wide'],
    ['get', 'events', '--field-selector', 'type=Warning'],
  ];
  for (const command of commands) say(await kube.kubectl(command).catch(String));
}

function createSite(parts: Omit<KubeSite, keyof Environment | 'serving'> & { remove: () => Promise<void> }): KubeSite {
  const { kube, url, manifests } = parts;
  const secrets = manifests.find(({ kind, metadata }) => kind === 'Secret' && metadata.name.startsWith('maru'));
  const jwtSecret = Buffer.from(secrets?.data?.['jwt-secret'] ?? '', 'base64').toString();
  const token = (user: string, lifetimeMs = TOKEN_LIFETIME_MS) =>
    mintToken(jwtSecret, { sub: user, name: user, exp: Math.floor((Date.now() + lifetimeMs) / 1_000) });
  return {
    kube,
    url,
    manifests,
    readyAfterMs: parts.readyAfterMs,
    endpoints: [url],
    token,
    serving: async (service) => (await kube.pods(service)).filter(({ ready, terminating }) => ready && !terminating),
    async presence(room) {
      const { status, body } = await call(url, `/rooms/${room}/presence`, { token: token('onlooker') });
      assert.equal(status, 200, JSON.stringify(body));
      return body as unknown as PresenceSnapshot;
    },
    // The disruptions replace pods, but no container may crash and restart.
    async services() {
      const pods = await kube.pods();
      return new Map([['restarts', pods.reduce((sum, { restarts }) => sum + restarts, 0)]]);
    },
    async complete() {
      for (const { kind, metadata } of workloads(manifests))
        await kube.kubectl(['rollout', 'status', `${kind.toLowerCase()}/${metadata.name}`, '--timeout=240s']);
      // A terminating pod may still have clients.
      await poll(
        'the last terminating pod to be gone',
        async () => (await kube.pods()).every(({ terminating }) => !terminating),
        {
          timeoutMs: COMPLETE_TIMEOUT_MS,
          everyMs: POLL_EVERY_MS,
        },
      );
    },
    stop: parts.remove,
  };
}

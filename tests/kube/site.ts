/** The local overlay in a namespace of its own, as what a trial acts upon. */
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
  /** From applying to the moment when every pod was ready. */
  readyAfterMs: number;
  /** Pods of a service that are ready and stay. */
  serving(service: string): Promise<Pod[]>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN_MS = 180_000;
/** A roll-out of the slowest: three pods, each with its start, its hand-over and its grace. */
const COMPLETE_WITHIN_MS = 300_000;
const REMOVED_WITHIN_MS = 120_000;
const URL_WITHIN_MS = 30_000;
/** Each comes in by either edge. */
const HANDSHAKES_IN_A_ROW = 20;
const LOOK_MS = 250;
const TOKEN_LIFETIME_MS = 12 * 3_600_000;
const NO_IMAGE = /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName)$/;

interface Service {
  spec: { ports: Array<{ port: number; nodePort?: number }> };
  status: { loadBalancer: { ingress?: Array<{ ip?: string; hostname?: string }> } };
}
interface Nodes {
  items: Array<{ status: { addresses: Array<{ type: string; address: string }> } }>;
}

/** Where the public Service may be reached from here, best first. */
export function candidateUrls(service: Service, nodes: Nodes): string[] {
  const [port] = service.spec.ports;
  if (port === undefined) return [];
  const balanced = (service.status.loadBalancer.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const addresses = nodes.items.flatMap(({ status }) =>
    status.addresses.filter(({ type }) => type !== 'Hostname').map(({ address }) => address),
  );
  const onNodes =
    port.nodePort === undefined ? [] : ['127.0.0.1', ...addresses].map((host) => `${host}:${port.nodePort}`);
  return [...balanced.map((host) => `${host}:${port.port}`), ...onNodes].map((host) => `http://${host}`);
}

async function answers(url: string): Promise<boolean> {
  return (await shakeHands(url)).route !== undefined;
}

/** An edge that started before the gateways may for seconds be told by DNS that there are none. */
async function everyEdgeKnows(url: string): Promise<void> {
  let inARow = 0;
  await poll(
    `${HANDSHAKES_IN_A_ROW} newcomers in a row to be let in`,
    async () => {
      inARow = (await answers(url)) ? inARow + 1 : 0;
      return inARow >= HANDSHAKES_IN_A_ROW;
    },
    { timeoutMs: URL_WITHIN_MS, everyMs: LOOK_MS / 10 },
  );
}

async function findUrl(kube: Kube): Promise<string> {
  const service = (await kube.get(`/api/v1/namespaces/${kube.namespace}/services/edge`)) as Service;
  const candidates = candidateUrls(service, (await kube.get('/api/v1/nodes')) as Nodes);
  const deadlineMs = Date.now() + URL_WITHIN_MS;
  while (Date.now() < deadlineMs) {
    for (const url of candidates) if (await answers(url)) return url;
    await sleep(LOOK_MS);
  }
  throw new Misuse(`The public Service answers at none of ${candidates.join(', ')}. Name its address with --url.`);
}

/** @throws {Misuse} where a pod will never be ready because of what the cluster lacks */
async function allReady(kube: Kube, expected: ReadonlyMap<string, number>): Promise<boolean> {
  const pods = await kube.pods();
  const without = pods.find(({ waiting }) => waiting !== undefined && NO_IMAGE.test(waiting));
  if (without !== undefined)
    throw new Misuse(
      `The image of ${without.name} is not on its node (${without.waiting}): build the images and load them, or give --load-images.`,
    );
  return (
    pods.every(({ leaving }) => !leaving) &&
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
    await poll('the namespace to be gone', isGone, { timeoutMs: REMOVED_WITHIN_MS, everyMs: 1_000 })
      .catch((error: unknown) => options.say(`${namespace} is still being deleted: ${String(error)}`))
      .finally(() => kube.close());
  };
  try {
    const appliedAtMs = performance.now();
    const printed = await kube.kubectl(['apply', '-f', '-'], yaml);
    options.say(`namespace ${namespace}: ${printed.trim().split('\n').length} objects applied`);
    const expected = new Map(workloads(manifests).map(({ metadata, spec }) => [metadata.name, spec.replicas ?? 1]));
    await poll('every pod to be ready', () => allReady(kube, expected), {
      timeoutMs: READY_WITHIN_MS,
      everyMs: LOOK_MS,
    });
    const readyAfterMs = performance.now() - appliedAtMs;
    const url = options.url ?? (await findUrl(kube));
    await everyEdgeKnows(url);
    return createSite({ kube, url, manifests, readyAfterMs, remove });
  } catch (error) {
    await tellWhy(kube, options.say);
    await remove();
    throw error;
  }
}

/** What a person would look at first. */
async function tellWhy(kube: Kube, say: (line: string) => void): Promise<void> {
  const looks = [
    ['get', 'pods', '-o', 'wide'],
    ['get', 'events', '--field-selector', 'type=Warning'],
  ];
  for (const look of looks) say(await kube.kubectl(look).catch(String));
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
    serving: async (service) => (await kube.pods(service)).filter(({ ready, leaving }) => ready && !leaving),
    async presence(room) {
      const { status, body } = await call(url, `/rooms/${room}/presence`, { token: token('onlooker') });
      assert.equal(status, 200, JSON.stringify(body));
      return body as unknown as PresenceSnapshot;
    },
    // Pods come and go here; that a container had to be started again is what must not happen.
    async services() {
      const pods = await kube.pods();
      return new Map([['restarts', pods.reduce((sum, { restarts }) => sum + restarts, 0)]]);
    },
    async complete() {
      for (const { kind, metadata } of workloads(manifests))
        await kube.kubectl(['rollout', 'status', `${kind.toLowerCase()}/${metadata.name}`, '--timeout=240s']);
      // What leaves may still have clients.
      await poll('the last leaving pod to be gone', async () => (await kube.pods()).every(({ leaving }) => !leaving), {
        timeoutMs: COMPLETE_WITHIN_MS,
        everyMs: LOOK_MS,
      });
    },
    stop: parts.remove,
  };
}

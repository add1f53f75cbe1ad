/**
 * A namespace of a cluster, through kubectl, and through the API where kubectl is slow or has no
 * command.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { sleep } from '../support/poll.ts';

export interface Pod {
  name: string;
  /** gateway, presence, edge or redis. */
  service: string;
  uid: string;
  ip: string | undefined;
  ready: boolean;
  /** The pod has a deletion timestamp. */
  terminating: boolean;
  restarts: number;
  /**
   * Why its container does not run, as the kubelet reports it: ImagePullBackOff, CrashLoopBackOff,
   * …
   */
  waiting: string | undefined;
}

export interface Kube {
  namespace: string;
  /** Runs kubectl in the namespace. Resolves with its output, or rejects with its error output. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  pods(service?: string): Promise<Pod[]>;
  /** The JSON of an object or a list, by its path below the API's root. */
  get(path: string): Promise<unknown>;
  /** Evicts the pod. Retries until the disruption budget allows it. */
  evict(pod: Pod): Promise<void>;
  close(): void;
}

const COMMAND_DEADLINE_MS = 300_000;
const CALL_DEADLINE_MS = 10_000;
const EVICT_TIMEOUT_MS = 120_000;
const EVICT_RETRY_MS = 500;
const OUTPUT_BYTES_MAX = 16 * 1_048_576;
const TOO_MANY_REQUESTS = 429;

export function runKubectl(args: readonly string[], stdin = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_DEADLINE_MS, maxBuffer: OUTPUT_BYTES_MAX };
    const child = execFile('kubectl', args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`kubectl ${args.slice(0, 4).join(' ')}: ${stderr.trim() || error.message}`));
    });
    child.stdin?.end(stdin);
  });
}

/**
 * Starts `kubectl proxy`, which authenticates. It listens on a free port of the loopback interface.
 */
async function startProxy(): Promise<{ url: string; close: () => void }> {
  const child = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  // The proxy must not outlive this process.
  process.once('exit', () => child.kill());
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('kubectl proxy ended'))),
  ])) as [string];
  const address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
  if (address === undefined) throw new Error(`kubectl proxy printed: ${line}`);
  return { url: `http://${address}`, close: () => child.kill() };
}

interface PodStatus {
  metadata: { name: string; uid: string; labels: Record<string, string>; deletionTimestamp?: string };
  status: {
    podIP?: string;
    conditions?: Array<{ type: string; status: string }>;
    containerStatuses?: Array<{ restartCount: number; state: { waiting?: { reason: string } } }>;
  };
}

const toPod = ({ metadata, status }: PodStatus): Pod => ({
  name: metadata.name,
  service: (metadata.labels['app.kubernetes.io/name'] ?? '').replace(/^maru-/, ''),
  uid: metadata.uid,
  ip: status.podIP,
  ready: status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
  terminating: metadata.deletionTimestamp !== undefined,
  restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
  waiting: status.containerStatuses?.[0]?.state.waiting?.reason,
});

export async function openKube(namespace: string): Promise<Kube> {
  const proxy = await startProxy();
  const namespacePath = `/api/v1/namespaces/${namespace}`;
  const call = async (path: string, init: RequestInit = {}) =>
    fetch(`${proxy.url}${path}`, { ...init, signal: AbortSignal.timeout(CALL_DEADLINE_MS) });
  const get = async (path: string): Promise<unknown> => {
    const response = await call(path);
    if (!response.ok) throw new Error(`${path} answers ${response.status}`);
    return response.json();
  };
  return {
    namespace,
    get,
    kubectl: (args, stdin) => runKubectl(['--namespace', namespace, ...args], stdin),
    async pods(service) {
      const { items } = (await get(`${namespacePath}/pods`)) as { items: PodStatus[] };
      return items.map(toPod).filter((pod) => service === undefined || pod.service === service);
    },
    async evict({ name }) {
      const deadlineMs = Date.now() + EVICT_TIMEOUT_MS;
      for (;;) {
        const response = await call(`${namespacePath}/pods/${name}/eviction`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }),
        });
        if (response.ok) return;
        if (response.status !== TOO_MANY_REQUESTS || Date.now() > deadlineMs)
          throw new Error(`${name} could not be evicted: ${response.status} ${await response.text()}`);
        await sleep(EVICT_RETRY_MS);
      }
    },
    close: proxy.close,
  };
}

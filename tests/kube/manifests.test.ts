/** Checks every rendered overlay, and production with each component, against our rules. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@maru/service-kit';
import { renderPostgresAccounts, scramVerifier } from '../../deploy/postgres/render.ts';
import { renderRedisAcl } from '../../deploy/redis/render.ts';
import { settingFields as archiverFields } from '../../services/archiver/src/settings.ts';
import { FIELDS, readGatewayConfig } from '../../services/gateway/src/config.ts';
import { settingFields } from '../../services/presence/src/settings.ts';
import { buildOverlay, combinations, findBuilder } from '../../tools/check-manifests.mjs';
import {
  containersOf,
  environmentOf,
  type Manifest,
  named,
  parseManifests,
  type Workload,
  workloads,
} from './manifest.ts';
import type { Facts } from './pod-rules.ts';
import { findViolations } from './rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const builder = findBuilder(process.env);
const skip = builder === null ? 'needs kubectl or kustomize' : false;

const built = new Map<string, Promise<Manifest[]>>();
function build(overlay: string, components: readonly string[] = []): Promise<Manifest[]> {
  const key = [overlay, ...components].join(' ');
  const known =
    built.get(key) ?? buildOverlay({ root: ROOT, builder: builder ?? [], overlay, components }).then(parseManifests);
  built.set(key, known);
  return known;
}

const EDGE_START = 'deploy/docker/edge/start.sh';

/** A valid value for any secret. */
const placeholderSecret = (key: string) => {
  if (key.endsWith('redis-url')) return 'redis://maru:any@redis:6379';
  return key === 'postgres-url' ? 'postgres://maru:any@postgres:5432/maru' : 'any secret of at least 32 characters';
};

function settingsOf(name: string, manifests: readonly Manifest[]): Record<string, string> {
  const workload = named(manifests, 'Deployment', name) as Workload;
  const [container] = workload.spec.template.spec.containers;
  assert(container !== undefined);
  return environmentOf(container, manifests, placeholderSecret);
}

/** A number that its module does not export. */
function constantIn(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(path.join(ROOT, file), 'utf8'))?.[1];
  assert(found !== undefined, `${file} does not match ${pattern}`);
  return Number(found.replaceAll('_', ''));
}

function shutdownMs(name: string, manifests: readonly Manifest[]): number | undefined {
  if (name === 'presence') return constantIn('services/presence/src/main.ts', /drainDeadlineMs: ([\d_]+)/);
  if (name === 'edge') return 1_000 * constantIn(EDGE_START, /worker_shutdown_timeout (\d+)s;/);
  if (name !== 'gateway') return undefined;
  const { drainWaitMs, drainSpreadMaxMs } = readGatewayConfig(settingsOf(name, manifests));
  return drainWaitMs + drainSpreadMaxMs + constantIn('services/gateway/src/main.ts', /DRAIN_SLACK_MS = ([\d_]+)/);
}

const FACTS: Facts = { shutdownMs, givenSecrets: [], givenConfigMaps: ['redis-ca', 'ldap-ca'] };
const PRODUCTION: Facts = { ...FACTS, givenSecrets: ['maru'] };

describe('manifests', { skip }, () => {
  for (const { name, overlay, components } of combinations(ROOT))
    test(`${name} follow the rules`, async () => {
      const manifests = await build(overlay, components);
      assert.deepEqual(findViolations(manifests, overlay === 'production' ? PRODUCTION : FACTS), []);
    });

  for (const overlay of ['local', 'production'])
    test(`${overlay} contains only settings that the services know and accept`, async () => {
      const manifests = await build(overlay);
      const gateway = settingsOf('gateway', manifests);
      const presence = settingsOf('presence', manifests);
      const archiver = settingsOf('archiver', manifests);
      readGatewayConfig(gateway);
      readConfig(settingFields, presence);
      readConfig(archiverFields, archiver);
      assert.notEqual(gateway.MARU_POSTGRES_URL, undefined);
      const unknown = (settings: Record<string, string>, fields: object) => {
        const known = new Set(Object.values(fields).map(({ env }: { env: string }) => env));
        return Object.keys(settings).filter((name) => !known.has(name));
      };
      assert.deepEqual(unknown(gateway, FIELDS), []);
      assert.deepEqual(unknown(presence, settingFields), []);
      assert.deepEqual(unknown(archiver, archiverFields), []);
      const edge = Object.keys(settingsOf('edge', manifests)).filter((name) => name.startsWith('MARU_'));
      const start = readFileSync(path.join(ROOT, EDGE_START), 'utf8');
      assert(edge.length > 0);
      assert.deepEqual(
        edge.filter((name) => !start.includes(`\${${name}:-`)),
        [],
      );
    });

  test('production has no Secret, no guests, no Redis and no PostgreSQL', async () => {
    const manifests = await build('production');
    assert.deepEqual(
      manifests.filter(({ kind }) => kind === 'Secret' || kind === 'StatefulSet').map(({ metadata }) => metadata.name),
      [],
    );
    assert.equal(readGatewayConfig(settingsOf('gateway', manifests)).guests, false);
  });

  test('the autoscaler removes one gateway at a time, after a stabilization window', async () => {
    for (const components of [[], ['autoscale-connections']]) {
      const manifests = await build('production', components);
      const autoscaler = named(manifests, 'HorizontalPodAutoscaler', 'gateway');
      assert(autoscaler !== undefined);
      const { minReplicas, behavior } = autoscaler.spec as {
        minReplicas: number;
        behavior: { scaleDown: { stabilizationWindowSeconds: number; policies: object[] } };
      };
      const { stabilizationWindowSeconds, policies } = behavior.scaleDown;
      assert(minReplicas >= 2 && stabilizationWindowSeconds >= 300);
      const gateway = named(manifests, 'Deployment', 'gateway') as Workload;
      const graceS = gateway.spec.template.spec.terminationGracePeriodSeconds ?? 0;
      assert.deepEqual(policies, [{ type: 'Pods', value: 1, periodSeconds: Math.max(120, graceS) }]);
      assert.equal(
        gateway.spec.replicas,
        undefined,
        'replicas in the manifest would overwrite the decision of the autoscaler',
      );
    }
  });

  test('the local overlay has the Redis accounts of npm start, and one for the health check', async () => {
    const manifests = await build('local');
    const accounts = manifests.find(({ metadata }) => metadata.name.startsWith('redis-accounts-'));
    const text = Buffer.from(accounts?.data?.['users.acl'] ?? '', 'base64').toString();
    const passwords = {
      adminPassword: 'development-only-password-of-admin',
      maruPassword: 'development-only-password-of-maru',
      archiverPassword: 'development-only-password-of-archiver',
    };
    assert.deepEqual(
      text.split('\n').filter((line) => line !== '' && !line.startsWith('user health ')),
      renderRedisAcl(passwords)
        .split('\n')
        .filter((line) => line !== ''),
    );
    assert.match(text, /^user health on nopass resetkeys resetchannels -@all \+ping$/m);
  });
});

test('the local overlay has the PostgreSQL accounts of npm start', { skip }, async () => {
  const accounts = (await build('local')).find(({ metadata }) => metadata.name.startsWith('postgres-accounts-'));
  const text = Buffer.from(accounts?.data?.['accounts.sql'] ?? '', 'base64').toString();
  const salts = [...text.matchAll(/4096:([^$]+)\$/g)].map(([, salt = '']) => Buffer.from(salt, 'base64'));
  const verifier = (name: string, index: number) => scramVerifier(`development-only-password-of-${name}`, salts[index]);
  assert.equal(
    text,
    renderPostgresAccounts({ adminVerifier: verifier('admin', 0), maruVerifier: verifier('maru', 1) }),
  );
});

/** Changes to a copy of the local overlay, each with the violation that the rules must report. */
const VIOLATIONS: ReadonlyArray<readonly [what: string, violation: RegExp, change: (manifests: Manifest[]) => void]> = [
  [
    'a root user',
    /may run as root/,
    (all) => Object.assign(pod(all, 'gateway').securityContext ?? {}, { runAsNonRoot: false }),
  ],
  [
    'an API token',
    /gets an API token/,
    (all) => Object.assign(pod(all, 'edge'), { automountServiceAccountToken: true }),
  ],
  [
    'a shared service account',
    /shares its service account/,
    (all) => Object.assign(pod(all, 'edge'), { serviceAccountName: 'gateway' }),
  ],
  [
    'a capability',
    /adds capabilities/,
    (all) => Object.assign(container(all, 'edge').securityContext?.capabilities ?? {}, { add: ['CHOWN'] }),
  ],
  [
    'a writable root',
    /has a writable root/,
    (all) => Object.assign(container(all, 'redis').securityContext ?? {}, { readOnlyRootFilesystem: false }),
  ],
  [
    'no memory limit',
    /has no memory limit/,
    (all) => Object.assign(container(all, 'presence').resources ?? {}, { limits: {} }),
  ],
  [
    'an image without a version',
    /is not pinned/,
    (all) => Object.assign(container(all, 'presence'), { image: 'registry:5000/maru/presence' }),
  ],
  [
    'a liveness probe on /readyz',
    /depends on others/,
    (all) => Object.assign(container(all, 'gateway'), { livenessProbe: { httpGet: { path: '/readyz', port: 'ops' } } }),
  ],
  [
    'a short grace period',
    /the shutdown takes 50 s, the grace period is 40 s/,
    (all) => Object.assign(pod(all, 'gateway'), { terminationGracePeriodSeconds: 40 }),
  ],
  ['no preStop sleep', /has no preStop sleep/, (all) => Object.assign(container(all, 'gateway'), { lifecycle: {} })],
  ['a rollout with a gap', /removes pods before/, (all) => Object.assign(workload(all, 'edge').spec, { strategy: {} })],
  [
    'no disruption budget',
    /0 disruption budgets/,
    (all) =>
      all.splice(
        all.findIndex(({ kind }) => kind === 'PodDisruptionBudget'),
        1,
      ),
  ],
  [
    'a label that no selector matches',
    /selects 0 workloads/,
    (all) => Object.assign(workload(all, 'presence').spec.template.metadata, { labels: { a: 'b' } }),
  ],
  ['an absent port', /there is no port http/, (all) => Object.assign(container(all, 'gateway'), { ports: [] })],
  [
    'no default network policy',
    /no policy denies by default/,
    (all) =>
      all.splice(
        all.findIndex(({ metadata }) => metadata.name === 'default-deny'),
        1,
      ),
  ],
  [
    'an absent Secret',
    /there is no Secret maru/,
    (all) =>
      all.splice(
        all.findIndex(({ kind, metadata }) => kind === 'Secret' && metadata.name.startsWith('maru')),
        1,
      ),
  ],
  [
    'an absent ConfigMap',
    /there is no ConfigMap/,
    (all) =>
      all.splice(
        all.findIndex(({ kind }) => kind === 'ConfigMap'),
        1,
      ),
  ],
  [
    'another namespace',
    /the objects are in/,
    (all) => Object.assign(all.at(-1)?.metadata ?? {}, { namespace: 'default' }),
  ],
];

const workload = (all: readonly Manifest[], name: string): Workload => {
  const found = workloads(all).find(({ metadata }) => metadata.name === name);
  assert(found !== undefined);
  return found;
};
const pod = (all: readonly Manifest[], name: string) => workload(all, name).spec.template.spec;
const container = (all: readonly Manifest[], name: string) => {
  const [first] = containersOf(pod(all, name));
  assert(first !== undefined);
  return first;
};

describe('the rules report', { skip }, () => {
  for (const [what, violation, change] of VIOLATIONS)
    test(what, async () => {
      const manifests = structuredClone(await build('local'));
      change(manifests);
      assert.match(findViolations(manifests, FACTS).join('\n'), violation);
    });
});

/** Set-ups that the documentation describes: what their manifests allow and set. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildOverlay, combinations, findBuilder } from '../../tools/check-manifests.mjs';
import { type Manifest, parseManifests } from './manifest.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const builder = findBuilder(process.env);
const skip = builder === null ? 'needs kubectl or kustomize' : false;

interface Egress {
  to?: Array<{ ipBlock?: { cidr: string } }>;
  ports?: Array<{ port: number | string }>;
}
const policiesIn = (manifests: readonly Manifest[]) =>
  manifests
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ metadata, spec }) => ({ name: metadata.name, egress: (spec as { egress?: Egress[] }).egress ?? [] }));

describe('documented set-ups', { skip }, () => {
  const root = mkdtempSync(path.join(tmpdir(), 'maru-set-ups-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  const all = async () => {
    const [{ components } = { components: [] }] = combinations(ROOT).filter(({ name }) => name === 'production + all');
    return parseManifests(
      await buildOverlay({ root: ROOT, builder: builder ?? [], overlay: 'production', components }),
    );
  };

  test('what is outside may have an IPv6 address', async () => {
    const outside = policiesIn(await all()).flatMap(({ name, egress }) =>
      egress
        .map(({ to = [] }) => to.flatMap(({ ipBlock }) => ipBlock?.cidr ?? []))
        .filter((cidrs) => cidrs.length > 0)
        .map((cidrs) => [name, ...cidrs.sort()]),
    );
    assert.deepEqual(
      outside.toSorted(),
      ['directory', 'external-postgres', 'external-redis', 'identity-provider'].map((name) => [
        name,
        '0.0.0.0/0',
        '::/0',
      ]),
    );
  });

  test('gateways may send traces to a collector', async () => {
    const ports = policiesIn(await all()).flatMap(({ egress }) => egress.flatMap(({ ports = [] }) => ports));
    assert.ok(ports.some(({ port }) => port === 4318));
  });

  test('a copy of the production overlay sets the archiver', async () => {
    cpSync(path.join(ROOT, 'deploy/k8s'), path.join(root, 'deploy/k8s'), { recursive: true });
    appendFileSync(
      path.join(root, 'deploy/k8s/overlays/production/kustomization.yaml'),
      'configMapGenerator:\n  - name: maru-archiver\n    behavior: merge\n    literals: [MARU_LOG_LEVEL=debug]\n',
    );
    const manifests = parseManifests(await buildOverlay({ root, builder: builder ?? [], overlay: 'production' }));
    const settings = manifests.find(({ metadata }) => metadata.name.startsWith('maru-archiver-'));
    assert.equal(settings?.data?.MARU_LOG_LEVEL, 'debug');
    assert.equal(settings?.data?.MARU_OPS_PORT, '3201');
    const archiver = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'archiver');
    assert.ok(JSON.stringify(archiver?.spec).includes(`"${settings?.metadata.name}"`));
  });
});

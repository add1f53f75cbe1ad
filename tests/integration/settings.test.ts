import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEVELOPMENT_MARK, describeFields, isPublicSecret } from '@maru/service-kit';
import { settingFields as archiverFields } from '../../services/archiver/src/settings.ts';
import { FIELDS } from '../../services/gateway/src/config.ts';
import { settingFields } from '../../services/presence/src/settings.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');

test('docs/settings.md describes every variable of each service with its default', () => {
  assert.ok(page.includes(describeFields(FIELDS)), `the section of the gateway must be:\n${describeFields(FIELDS)}`);
  assert.ok(
    page.includes(describeFields(settingFields)),
    `the section of presence must be:\n${describeFields(settingFields)}`,
  );
  assert.ok(
    page.includes(describeFields(archiverFields)),
    `the section of the archiver must be:\n${describeFields(archiverFields)}`,
  );
});

const repository = new URL('../../', import.meta.url);
const LOCAL_OVERLAY = 'deploy/k8s/overlays/local';
/** The secrets of the local overlay, by their name in the Secret. */
const localSecrets = Object.fromEntries(
  readFileSync(new URL(`${LOCAL_OVERLAY}/development-only.env`, repository), 'utf8')
    .split('\n')
    .filter((line) => /^[\w-]+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

test('services know every secret of the local overlay', () => {
  assert.deepEqual(Object.keys(localSecrets).sort(), [
    'archiver-redis-url',
    'guest-secret',
    'internal-secret',
    'jwt-secret',
    'postgres-url',
    'redis-url',
  ]);
  for (const [name, value] of Object.entries(localSecrets)) assert.ok(isPublicSecret(value), name);
});

for (const service of ['gateway', 'presence'])
  test(`${service} does not start with a public secret`, async () => {
    const secrets = {
      MARU_REDIS_URL: localSecrets['redis-url'] ?? '',
      MARU_INTERNAL_SECRET: localSecrets['internal-secret'] ?? '',
      ...(service === 'gateway'
        ? {
            MARU_JWT_SECRET: localSecrets['jwt-secret'] ?? '',
            MARU_GUEST_SECRET: localSecrets['guest-secret'] ?? '',
            MARU_PRESENCE_URL: 'http://127.0.0.1:1',
          }
        : {}),
    };
    const child = spawn(process.execPath, [`services/${service}/src/main.ts`], {
      cwd: repository,
      env: { PATH: process.env.PATH ?? '', MARU_NODE: 'n', MARU_LISTEN_PORT: '0', MARU_OPS_PORT: '0', ...secrets },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 30_000,
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.ok(code !== null && code !== 0, output);
    for (const name of Object.keys(secrets).filter((name) => name !== 'MARU_PRESENCE_URL'))
      assert.match(output, new RegExp(`${name} is a secret that anyone can read`));
    assert.ok(!output.includes(DEVELOPMENT_MARK), output);
  });

test('only the local overlay sets MARU_DEVELOPMENT', () => {
  const files = readdirSync(new URL('deploy', repository), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const setters = [...files, fileURLToPath(new URL('docker-compose.yml', repository))].filter((file) =>
    /MARU_DEVELOPMENT\W+on\b/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(
    setters.map((file) => relative(fileURLToPath(repository), file)),
    [`${LOCAL_OVERLAY}/kustomization.yaml`],
  );
});

/** Checks of the Dockerfiles and the compose file that do not need Docker. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { NODE_FLAGS } from '@maru/service-kit';
import { parse } from 'yaml';
import { renderRedisAcl } from '../../deploy/redis/render.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true });
const accounts = parse(read('deploy/compose/company-accounts.yml'));
const dockerfiles = readdirSync(new URL('../../deploy/docker', import.meta.url)).filter((file) =>
  file.endsWith('.Dockerfile'),
);

describe('Dockerfiles', () => {
  test('pin a version of every base image', () => {
    for (const file of dockerfiles)
      for (const [, image] of read(`deploy/docker/${file}`).matchAll(/^ARG \w+_IMAGE=(.*)$/gm))
        assert.match(image ?? '', /^[\w./-]+:\d/, `${file}: ${image}`);
  });

  test('name the base images that the update bot sees', () => {
    const seen = [...read('deploy/docker/base-images.Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    const used = dockerfiles.flatMap((file) =>
      [...read(`deploy/docker/${file}`).matchAll(/^ARG \w+_IMAGE=(.*)$/gm)].map(([, image]) => image),
    );
    assert.deepEqual([...new Set(used)].sort(), seen.sort());
  });

  test('refuse vulnerable versions of Redis and nginx', () => {
    const refuses = (file: string, output: string) => {
      const program = /^RUN .* \| awk (.*)$/m.exec(read(`deploy/docker/${file}`))?.[1] ?? assert.fail(file);
      return spawnSync('sh', ['-c', `awk ${program}`], { input: `${output}\n` }).status === 1;
    };
    const redis = (version: string) => refuses('redis.Dockerfile', `Redis server v=${version} sha=00000000:1 bits=64`);
    for (const old of ['8.2.1', '8.0.9', '7.4.5', '7.2.10', '7.0.15', '6.2.20']) assert.ok(redis(old), old);
    for (const safe of ['8.2.2', '8.4.0', '9.0.0', '7.4.6', '7.2.11']) assert.ok(!redis(safe), safe);
    assert.ok(!refuses('redis.Dockerfile', 'Valkey server v=8.0.1 sha=0'));
    const nginx = (version: string) => refuses('edge.Dockerfile', `nginx version: nginx/${version}`);
    for (const old of ['1.30.3', '1.29.9', '1.22.1']) assert.ok(nginx(old), old);
    for (const safe of ['1.30.4', '1.31.0', '2.0.0']) assert.ok(!nginx(safe), safe);
  });

  test('share the layers that install dependencies, because their commands are equal', () => {
    const stages = (file: string) =>
      /FROM \$\{NODE_IMAGE\} AS manifests[\s\S]*?RUN npm ci[^\n]*/
        .exec(read(`deploy/docker/${file}`))?.[0]
        .replaceAll(/^#.*\n|^\n/gm, '');
    assert.ok(stages('service.Dockerfile')?.includes('npm ci'));
    assert.equal(stages('service.Dockerfile'), stages('edge.Dockerfile'));
  });

  test('read only files that .dockerignore includes', () => {
    const ignoreFile = read('.dockerignore');
    for (const workspace of JSON.parse(read('package.json')).workspaces as string[]) {
      const top = workspace.replace(/\/\*$/, '');
      assert.match(
        ignoreFile,
        new RegExp(`^!${top}(/package\\.json)?$`, 'm'),
        `${workspace} is excluded by .dockerignore`,
      );
    }
  });
});

describe('the image of a service', () => {
  test('runs Node.js with the same flags as npm start', () => {
    const [, entrypoint = '[]'] =
      /^FROM runtime AS service$[\s\S]*^ENTRYPOINT (.*)$/m.exec(read('deploy/docker/service.Dockerfile')) ?? [];
    assert.deepEqual(JSON.parse(entrypoint), ['node', ...NODE_FLAGS, 'src/main.js']);
  });
});

describe('the image of nginx', () => {
  test('replaces exactly the placeholders of the template', () => {
    const names = (text: string) =>
      [...new Set([...text.matchAll(/\{\{([A-Z_]+)\}\}/g)].map(([, name]) => name))].sort();
    assert.deepEqual(names(read('deploy/docker/edge/start.sh')), names(read('deploy/nginx.conf')));
  });
});

describe('Redis in a container', () => {
  test('uses the configuration of `npm start`', () => {
    assert.match(read('deploy/docker/redis.Dockerfile'), /^COPY deploy\/redis\/redis\.conf /m);
  });

  test('has its accounts, and one for the health check', () => {
    const passwords = { adminPassword: 'a', maruPassword: 'b' };
    const added = renderRedisAcl({ ...passwords, health: true }).replace(renderRedisAcl(passwords), '');
    assert.equal(added, 'user health on nopass resetkeys resetchannels -@all +ping\n');
  });
});

describe('PostgreSQL in a container', () => {
  test('uses the files of `npm start`', () => {
    const dockerfile = read('deploy/docker/postgres.Dockerfile');
    for (const file of ['postgresql.conf', 'pg_hba.conf', 'database.sql'])
      assert.ok(dockerfile.includes(`deploy/postgres/${file}`), file);
    const path = /^hba_file = '(.*)'$/m.exec(read('deploy/postgres/postgresql.conf'))?.[1];
    assert.equal(path, '/etc/maru/pg_hba.conf');
  });

  test('has a data directory like the one of `npm start`', () => {
    const setup = read('tools/supervisor/src/postgres-setup.ts');
    const [, list = ''] = /INITDB_ARGS = \[(.*)\]/.exec(setup) ?? [];
    const args = [...list.matchAll(/'([^']+)'/g)].map(([, arg]) => arg);
    assert.ok(args.length > 3);
    for (const arg of args) assert.ok(read('deploy/docker/postgres/start.sh').includes(` ${arg} `), arg);
  });
});

describe('the compose file of company accounts', () => {
  test('passes on settings that gateways know, and contains no secret', () => {
    const settings = read('docs/settings.md');
    const environment: Record<string, string> = accounts.services.gateway.environment;
    for (const [variable, value] of Object.entries(environment)) {
      const isFile = variable.endsWith('_FILE');
      assert.ok(settings.includes(`| \`${variable.replace(/_FILE$/, '')}\` |`), variable);
      assert.match(value, isFile ? /^\$\{MARU_LDAP_DIR:\+\/run\/maru\/ldap\/[\w.-]+\}$/ : /^\$\{\w+:-\}$/, variable);
      assert.equal(/PASSWORD|SECRET/.test(variable), isFile && variable !== 'MARU_LDAP_CA_FILE', variable);
    }
  });
});

describe('the compose file', () => {
  const services = Object.entries<Record<string, unknown>>(compose.services);

  test('gives every container a read-only root, no capabilities and no new privileges', () => {
    for (const [name, service] of services) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    }
  });

  test('pins a version of every image', () => {
    for (const [name, { image }] of services) assert.match(String(image), /:(local|v?\d[\w.]*)\}?$/, name);
  });

  test('contains no secret', () => {
    for (const [name, { environment }] of services)
      for (const [variable, value] of Object.entries(environment ?? {}))
        if (/SECRET|PASSWORD|TOKEN|REDIS_URL|POSTGRES_URL/.test(variable) && !variable.startsWith('GF_'))
          assert.match(String(value), /^(\$\{\w+-)?\/run\/maru\//, `${name}: ${variable}`);
  });

  test('opens one port to other machines', () => {
    const open = services
      .flatMap(([, { ports }]) => (ports as string[]) ?? [])
      .filter((port) => !port.startsWith('127.0.0.1:'));
    assert.equal(open.length, 1);
  });
});

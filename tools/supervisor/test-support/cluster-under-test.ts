/** A cluster of fake services on a real Redis and a real nginx, for tests. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../bootstrap/find-program.mjs';
import { PROGRAMS } from '../../bootstrap/programs.mjs';
import { ROOT } from '../../bootstrap/root.mjs';
import type { Reporter } from '../../bootstrap/terminal.mjs';
import { openDataDir } from '../src/data-dir.ts';
import type { ProcessView } from '../src/members.ts';
import { createPorts, tryPort } from '../src/ports.ts';
import { loadSecrets } from '../src/secrets.ts';
import { lookAround } from '../src/settings.ts';
import { createSupervisor } from '../src/supervisor.ts';

const STAND_IN = fileURLToPath(new URL('./stand-in-service.mjs', import.meta.url));

export function requireProgram(...names: string[]): string {
  const path = findProgram(names, process.env);
  if (path === null) throw new Error(`these tests need ${names.join(' or ')}`);
  return path;
}

export function findPostgres() {
  const { names, places } = PROGRAMS.postgres;
  const file = findProgram(names, process.env, places);
  if (file === null) throw new Error('these tests need PostgreSQL');
  return { file, initdb: join(dirname(realpathSync(file)), 'initdb') };
}

export const freePorts = () =>
  createPorts({ isFree: async (port) => (await tryPort(port, '127.0.0.1')) === null, random: Math.random });

export function makeTempDir(): { path: string; remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'maru-test-')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** With PostgreSQL and a stand-in for the archiver if `archive` is true. */
export async function startTestCluster(options: {
  gateways: number;
  archive?: boolean;
  environment?: NodeJS.ProcessEnv;
}) {
  const temp = makeTempDir();
  const webRoot = join(temp.path, 'web');
  mkdirSync(webRoot);
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Maru</title>');
  const port = await freePorts().take();
  const reported: string[] = [];
  const reporter: Reporter = {
    step: (label, text) => reported.push(`${label}: ${text}`),
    trouble: (label, text) => reported.push(`TROUBLE ${label}: ${text}`),
    line: (text = '') => reported.push(text),
    paint: (_, text) => text,
  };
  const dataDir = await openDataDir(join(temp.path, 'data'));
  const supervisor = createSupervisor({
    settings: {
      gateways: options.gateways,
      port,
      host: '127.0.0.1',
      dataDir: dataDir.path,
      webRoot,
      programs: {
        node: process.execPath,
        redis: requireProgram('redis-server', 'valkey-server'),
        nginx: requireProgram('nginx'),
        postgres: options.archive === true ? findPostgres() : null,
      },
    },
    machine: await lookAround(),
    dataDir,
    secrets: loadSecrets(dataDir.path),
    environment: { ...process.env, ...options.environment },
    reporter,
    sources: {
      gateway: STAND_IN,
      presence: STAND_IN,
      archiver: STAND_IN,
      newEpochs: join(ROOT, 'services/gateway/src/admin/new-epochs.ts'),
      nginxTemplate: join(ROOT, 'deploy/nginx.conf'),
    },
  });
  return {
    supervisor,
    dataDir,
    reported,
    url: `http://127.0.0.1:${port}`,
    views: () => (supervisor.handlers.status() as { processes: ProcessView[] }).processes,
    async close() {
      await supervisor.stop();
      dataDir.release();
      temp.remove();
    },
  };
}

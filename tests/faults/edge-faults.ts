/** Faults of the edge: nginx is reloaded, or its idea of the nodes changes. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';

const AFTER_EDGE_MS = 5_000;

export const EDGE_FAULTS: ReadonlyArray<Fault<ClusterEnvironment>> = [
  {
    name: 'nginx reloaded',
    about: 'nginx -s reload, ten times in a row',
    store: 'fine',
    holdMs: [500, 3_000],
    wholeWithinMs: AFTER_EDGE_MS,
    // The old workers keep their connections until they end by themselves.
    lossesMax: 0,
    async inject({ environment, began, holdMs, sleep }) {
      const { pid } = await environment.process('nginx');
      const times = 10;
      began();
      for (let time = 0; time < times; time++) {
        process.kill(pid, 'SIGHUP');
        await sleep(holdMs / times);
      }
    },
  },
  {
    name: 'affinity changed',
    about:
      'all gateways but one are taken out of the nginx configuration by hand, although they have sessions, and put back later',
    store: 'fine',
    holdMs: [2_000, 8_000],
    wholeWithinMs: AFTER_EDGE_MS,
    // Once when its session is nowhere to be found, and once more where it had just been given another.
    lossesMax: 2,
    async inject({ environment, random, began, holdMs, sleep }) {
      const gateways = await environment.gateways();
      const stays = random.pick(gateways);
      const { pid } = await environment.process('nginx');
      const file = path.join(environment.cluster.dataDir, 'nginx', 'nginx.conf');
      const before = readFileSync(file, 'utf8');
      const leaving = gateways.filter((gateway) => gateway !== stays);
      const after = leaving.reduce(
        (configuration, { name, address }) => withoutNode(configuration, name, Number(new URL(address).port)),
        before,
      );
      writeFileSync(file, after);
      process.kill(pid, 'SIGHUP');
      began();
      try {
        await sleep(holdMs);
      } finally {
        writeFileSync(file, before);
        process.kill(pid, 'SIGHUP');
      }
    },
  },
];

/** The configuration with no way to that node: not for new sessions, and not for its own. */
export function withoutNode(configuration: string, name: string, port: number): string {
  const lines = configuration.split('\n');
  const kept = lines.filter(
    (line) =>
      !line.includes(`"~^${name}\\."`) && !new RegExp(`^\\s+server 127\\.0\\.0\\.1:${port} max_fails`).test(line),
  );
  if (kept.length !== lines.length - 3) throw new Error(`nginx.conf does not name ${name} where it used to`);
  return kept.join('\n');
}

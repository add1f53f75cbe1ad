/** Faults of nginx: it is reloaded, or its list of nodes changes. */
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
    // Old workers keep their connections until these end.
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
      'all gateways but one are removed from the nginx configuration although they have sessions, and restored later',
    store: 'fine',
    holdMs: [2_000, 8_000],
    wholeWithinMs: AFTER_EDGE_MS,
    // Once because its session is not found, and once more if it has just got a new one.
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

/** Removes a node from the configuration, for new and for existing sessions. */
export function withoutNode(configuration: string, name: string, port: number): string {
  const lines = configuration.split('\n');
  const kept = lines.filter(
    (line) =>
      !line.includes(`"~^${name}\\."`) && !new RegExp(`^\\s+server 127\\.0\\.0\\.1:${port} max_fails`).test(line),
  );
  if (kept.length !== lines.length - 3) throw new Error(`nginx.conf does not name ${name} at the expected places`);
  return kept.join('\n');
}

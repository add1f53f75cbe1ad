/** The environment of one run: a variant's servers, an empty Redis, and a load generator. */
import { randomBytes } from 'node:crypto';
import { startTestRedis } from '@maru/service-kit/testing';
import type { Children } from './children.ts';
import { type Generator, startGenerator } from './generator/generator.ts';
import type { Load } from './loads.ts';
import type { MeasuredProcesses } from './measure/sample.ts';
import { monitorStore } from './measure/store.ts';
import { type Edge, startEdge } from './variants/edge.ts';
import type { Variant } from './variants/variants.ts';

export interface Environment extends MeasuredProcesses {
  generator: Generator;
  variant: Variant;
  /** Versions of the programs that are not npm packages. */
  programs: Record<string, string>;
}

/** A typical chat message. */
const TEXT_BYTES = 100;

/** `close` ends every process of the environment and removes its files. */
export type OpenEnvironment = Environment & { close(): Promise<void> };

export async function openEnvironment(options: {
  variant: Variant;
  load: Load;
  children: Children;
}): Promise<OpenEnvironment> {
  const { variant, load, children } = options;
  // Acknowledged writes survive a power loss, as in production. All variants use this setting.
  const redis = await startTestRedis({ appendOnly: 'always' });
  const store = monitorStore(redis.url);
  let edge: Edge | undefined;
  const close = async () => {
    store.close();
    await children.endAll();
    edge?.removeFiles();
    await redis.stop();
  };
  try {
    const secret = randomBytes(32).toString('base64url');
    const servers = await variant.start({ nodes: load.nodes, redis, secret, children });
    const serving = servers.nodes.slice(0, load.nodesWithMembers);
    if (load.edge) edge = await startEdge({ nodes: serving, clients: load.clients, children });
    const generator = startGenerator(children);
    await generator.call('plan', {
      endpoints: (edge === undefined ? serving : [edge]).map(({ host, port }) => ({ host, port })),
      clients: load.clients,
      rooms: load.rooms,
      secret,
      textBytes: TEXT_BYTES,
      canResume: variant.canResume,
    });
    return {
      servers,
      serving,
      bystanders: servers.nodes.slice(load.nodesWithMembers),
      redisPid: redis.pid,
      edgePid: edge?.pid,
      store,
      programs: { Redis: await store.version(), ...(edge === undefined ? {} : { nginx: edge.version }) },
      generator,
      variant,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One variant's servers on a fresh store, with a load generator: what one run works with. */
import { randomBytes } from 'node:crypto';
import { startTestRedis } from '@maru/service-kit/testing';
import type { Children } from './children.ts';
import { type Generator, startGenerator } from './generator/generator.ts';
import type { Load } from './loads.ts';
import type { Site } from './measure/sample.ts';
import { watchStore } from './measure/store.ts';
import { type Edge, startEdge } from './variants/edge.ts';
import type { Variant } from './variants/variants.ts';

export interface RunSite extends Site {
  generator: Generator;
  variant: Variant;
  /** Versions of the programs that are not packages. */
  programs: Record<string, string>;
}

/** About as long as a line of chat. */
const TEXT_BYTES = 100;

/** Ends every process of the site and leaves no file. */
export type OpenSite = RunSite & { close(): Promise<void> };

export async function openSite(options: { variant: Variant; load: Load; children: Children }): Promise<OpenSite> {
  const { variant, load, children } = options;
  // What is acknowledged survives the loss of power: what the product runs with, and the same for every variant.
  const redis = await startTestRedis({ appendOnly: 'always' });
  const store = watchStore(redis.url);
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
    await generator.ask('plan', {
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

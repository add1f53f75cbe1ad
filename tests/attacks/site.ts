/**
 * The target of attacks: real gateways on a real Redis, behind a real nginx with deploy/nginx.conf.
 * Each attack goes through nginx, and around it directly to a gateway.
 */
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { connect, type TestClient } from '../support/client.ts';
import {
  type Gateways,
  type GatewaysOptions,
  type ServiceProcess,
  startGateways,
  tokenOf,
} from '../support/gateways.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { newId, newRoom } from '../support/tokens.ts';

export interface Site extends Gateways {
  gateway: ServiceProcess;
  edge: Nginx;
  /** An administrator's connection to Redis. */
  admin: Redis;
  /** The whole output of the services. */
  printed(): string;
  /** Fails unless all processes run, none logged an error, and `witness` can chat. */
  assertUnharmed(): Promise<void>;
}

/** In addition to WIDE_LIMITS, because one user attacks with many connections. */
const WIDE_USER_LIMITS = {
  MARU_USER_JOINS_PER_SECOND: '100000',
  MARU_USER_JOINS_BURST: '1000000',
  MARU_USER_TYPING_PER_SECOND: '100000',
  MARU_USER_TYPING_BURST: '1000000',
  MARU_CONNECTIONS_PER_USER_CLUSTER_MAX: '100000',
};

/** The two ways to a gateway. They are names, because tests are declared before the site starts. */
export const WAYS = ['through nginx', 'around nginx'] as const;
export type Way = (typeof WAYS)[number];

export const urlOf = (site: Site, way: Way): string => (way === 'through nginx' ? site.edge.url : site.gateway.url);

export interface SiteOptions extends GatewaysOptions {
  /** Descriptors of nginx: two for each client. */
  filesMax?: number;
  /** Claims that every valid token needs. */
  claims?: Record<string, unknown>;
}

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const { filesMax, claims, ...rest } = options;
  const services = await startGateways({
    ...rest,
    environment: { MARU_TRUSTED_PROXIES: '127.0.0.1', ...WIDE_USER_LIMITS, ...options.environment },
  });
  const open: Array<{ close(): unknown }> = [];
  try {
    let printed = '';
    for (const { child } of [...services.gateways, services.presence])
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
        });
    const gatewayPorts = services.gateways.map(({ url }) => Number(new URL(url).port));
    const edge = await startNginx({ gatewayPorts, ...(filesMax === undefined ? {} : { filesMax }) });
    open.push({ close: () => edge.stop() });
    const gateway = services.gateways[0] ?? assert.fail('no gateway');
    const admin = new Redis(services.redis.url);
    open.push({ close: () => admin.disconnect() });
    const witness = await startWitness(edge.url, tokenOf('witness', claims));
    open.push(witness);
    return {
      ...services,
      gateway,
      edge,
      admin,
      printed: () => printed,
      async assertUnharmed() {
        services.assertAlive();
        const errors = printed
          .split('\n')
          .filter((line) => line !== '' && !/"level":"(warn|info|debug|trace)"/.test(line));
        assert.deepEqual(errors, []);
        await witness.chat();
      },
      async stop() {
        for (const closable of open.reverse()) await closable.close();
        await services.stop();
      },
    };
  } catch (error) {
    for (const closable of open.reverse()) await closable.close();
    await services.stop();
    throw error;
  }
}

/** A correct client, which no attack may disturb. */
async function startWitness(url: string, token: string): Promise<{ chat(): Promise<void>; close(): void }> {
  const client: TestClient = await connect(url, { token });
  const room = newRoom('witness');
  await client.ok('room:join', { room });
  return {
    async chat() {
      assert.deepEqual(client.disconnects, []);
      const { seq } = await client.patient('message:send', { room, clientMsgId: newId(), text: 'still here' });
      await client.until(room, seq);
    },
    close: () => client.close(),
  };
}

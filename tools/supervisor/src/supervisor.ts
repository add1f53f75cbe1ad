/**
 * Runs a cluster on one machine: in which order its processes start and stop.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterState } from '../../bootstrap/cluster-state.mjs';
import { Failure } from '../../bootstrap/failure.mjs';
import type { Reporter } from '../../bootstrap/terminal.mjs';
import type { Archive } from './archive.ts';
import { type Cluster, type ClusterOptions, createCluster } from './cluster.ts';
import type { ControlHandlers } from './control-server.ts';
import { type Member, viewMember } from './members.ts';
import { createOperations } from './operations.ts';
import { drainWithinMs, publicEndpoint } from './settings.ts';

export interface Supervisor {
  /**
   * Starts the processes in order, each after the previous one is ready. If one fails, it rejects
   * and leaves the others running.
   */
  start(): Promise<void>;
  /** Stops all processes in order, within 18 s. */
  stop(): Promise<void>;
  /** Sends SIGKILL to all processes at once. Resolves when they are gone. */
  killAll(): Promise<void>;
  /** Records in the state file where the supervisor takes commands. */
  setControl(control: ClusterState['control']): void;
  endpoint: string;
  handlers: ControlHandlers;
}

const NGINX_QUIT_HEAD_START_MS = 800;

export function createSupervisor(options: ClusterOptions): Supervisor {
  const { settings, environment, reporter } = options;
  const endpoint = publicEndpoint(settings.host, settings.port);
  const cluster = createCluster(options, endpoint);
  const { table, redis, presence, nginx, archive, gateways } = cluster;
  const setUp = new AbortController();
  let stopping = false;

  async function start(member: Member): Promise<void> {
    try {
      await table.start(member);
    } catch (error) {
      throw stopping ? new Failure('The cluster stopped while it was starting.') : error;
    }
  }

  async function startPostgres({ postgres, setUp: prepare }: Archive): Promise<void> {
    await prepare(setUp.signal);
    if (!stopping) await start(postgres);
  }

  const inOrder = () => [redis, archive?.postgres, presence, archive?.archiver, ...gateways(), nginx];
  return {
    endpoint,
    handlers: {
      token: cluster.token,
      status: () => ({ endpoint, processes: inOrder().flatMap((member) => (member ? [viewMember(member)] : [])) }),
      ...createOperations({
        members: table.members,
        balancer: cluster.balancer,
        createGateway: cluster.createGateway,
        openEpochs: cluster.openEpochs,
        isStopping: () => stopping,
        drainWithinMs: drainWithinMs(environment),
      }),
    },
    setControl: (control) => table.setControl(control),

    async start() {
      mkdirSync(join(options.dataDir.path, 'nginx'), { recursive: true, mode: 0o700 });
      for (let number = 1; number <= settings.gateways; number += 1)
        table.members.push(cluster.createGateway(`gateway-${number}`));
      await Promise.all([start(redis), archive === null ? null : startPostgres(archive)]);
      await Promise.all([start(presence), archive === null ? null : start(archive.archiver)]);
      // Gateways start in parallel: they do not depend on each other.
      await Promise.all(gateways().map(start));
      await start(nginx);
    },

    async stop() {
      stopping = true;
      setUp.abort();
      await stopInOrder(cluster, reporter);
    },

    async killAll() {
      stopping = true;
      setUp.abort();
      await Promise.all(table.members.map((member) => member.process.kill()));
    },
  };
}

/** Takes at most 8.5 + 0.8 + 1 + 3 + 4 s. Each service has its own shorter deadline. */
async function stopInOrder(cluster: Cluster, reporter: Reporter): Promise<void> {
  const { table, redis, presence, nginx, archive, gateways } = cluster;
  // nginx refuses new connections. The open ones end with the gateways.
  const quit = nginx.process.end({ signal: 'SIGQUIT', withinMs: 10_000, as: 'stopping' });
  // Nothing waits for the archiver. What it has not copied stays in Redis.
  const services = [...gateways(), ...(archive === null ? [] : [archive.archiver])];
  await Promise.all(
    services.map((member) => member.process.end({ signal: 'SIGINT', withinMs: 8_500, as: 'stopping' })),
  );
  await Promise.race([quit, sleep(NGINX_QUIT_HEAD_START_MS)]);
  await nginx.process.end({ signal: 'SIGTERM', withinMs: 1_000, as: 'stopping' });
  reporter.step('stopped', archive === null ? 'nginx and the gateways' : 'nginx, the gateways and the archiver');
  await presence.process.end({ signal: 'SIGINT', withinMs: 3_000, as: 'stopping' });
  // The stores stop last, when they have no writers, and flush their logs.
  await Promise.all([
    redis.process.end({ signal: 'SIGTERM', withinMs: 4_000, as: 'stopping' }),
    archive?.postgres.process.end({ signal: 'SIGINT', withinMs: 4_000, as: 'stopping' }),
  ]);
  reporter.step('stopped', archive === null ? 'presence and Redis' : 'presence, Redis and PostgreSQL');
  table.closeLogs();
}

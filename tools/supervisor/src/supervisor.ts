/**
 * Composes a cluster on one machine: which processes run, and in which order they start and stop.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterState } from '../../bootstrap/cluster-state.mjs';
import { Failure } from '../../bootstrap/failure.mjs';
import type { Reporter } from '../../bootstrap/terminal.mjs';
import { type Balancer, createBalancer } from './balancer.ts';
import type { ControlHandlers } from './control-server.ts';
import type { DataDir } from './data-dir.ts';
import { type Gateway, type Member, type Other, viewMember } from './members.ts';
import { createOperations } from './operations.ts';
import { createPorts, tryPort } from './ports.ts';
import { ProcessTable } from './process-table.ts';
import { planRedis } from './redis-plan.ts';
import { runTool } from './run-tool.ts';
import type { Secrets } from './secrets.ts';
import { planService } from './service-plan.ts';
import {
  drainWithinMs,
  edgeTrustedProxies,
  gatewayEnvironment,
  type Machine,
  presenceEnvironment,
  publicEndpoint,
  redisMaxMemory,
  type SupervisorSettings,
} from './settings.ts';

export interface SupervisorOptions {
  settings: SupervisorSettings;
  machine: Machine;
  dataDir: DataDir;
  secrets: Secrets;
  environment: NodeJS.ProcessEnv;
  reporter: Reporter;
  /** The programs of the services, and the template of the nginx configuration. */
  sources: { gateway: string; presence: string; newEpochs: string; nginxTemplate: string };
}

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

const SERVICE_READY_WITHIN_MS = 30_000;
const NGINX_QUIT_HEAD_START_MS = 800;

/** The processes of one cluster. Gateways come and go; the others are one each. */
interface Cluster {
  table: ProcessTable;
  redis: Other;
  presence: Other;
  nginx: Other;
  balancer: Balancer;
  gateways(): Gateway[];
  createGateway(name: string): Gateway;
  /** Opens new epochs in Redis, with the rights of the services. */
  openEpochs(say: (line: string) => void): Promise<void>;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { settings, environment, reporter } = options;
  const endpoint = publicEndpoint(settings.host, settings.port);
  const cluster = createCluster(options, endpoint);
  const { table, redis, presence, nginx, gateways } = cluster;
  let stopping = false;

  async function start(member: Member): Promise<void> {
    try {
      await table.start(member);
    } catch (error) {
      throw stopping ? new Failure('The cluster stopped while it was starting.') : error;
    }
  }

  return {
    endpoint,
    handlers: {
      status: () => ({ endpoint, processes: [redis, presence, ...gateways(), nginx].map(viewMember) }),
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
      await start(redis);
      await start(presence);
      // Gateways start in parallel: they do not depend on each other.
      await Promise.all(gateways().map(start));
      await start(nginx);
    },

    async stop() {
      stopping = true;
      await stopInOrder(cluster, reporter);
    },

    async killAll() {
      stopping = true;
      await Promise.all(table.members.map((member) => member.process.kill()));
    },
  };
}

/** Takes at most 8.5 + 0.8 + 1 + 3 + 4 s. Each service has its own shorter deadline. */
async function stopInOrder({ table, redis, presence, nginx, gateways }: Cluster, reporter: Reporter): Promise<void> {
  // nginx refuses new connections. The open ones end with the gateways.
  const quit = nginx.process.end({ signal: 'SIGQUIT', withinMs: 10_000, as: 'stopping' });
  await Promise.all(
    gateways().map((gateway) => gateway.process.end({ signal: 'SIGINT', withinMs: 8_500, as: 'stopping' })),
  );
  await Promise.race([quit, sleep(NGINX_QUIT_HEAD_START_MS)]);
  await nginx.process.end({ signal: 'SIGTERM', withinMs: 1_000, as: 'stopping' });
  reporter.step('stopped', 'nginx and the gateways');
  await presence.process.end({ signal: 'SIGINT', withinMs: 3_000, as: 'stopping' });
  // Redis stops last, when it has no writers, and flushes its log.
  await redis.process.end({ signal: 'SIGTERM', withinMs: 4_000, as: 'stopping' });
  reporter.step('stopped', 'presence and Redis');
  table.closeLogs();
}

function createCluster(options: SupervisorOptions, endpoint: string): Cluster {
  const { settings, dataDir, secrets, environment, reporter, sources } = options;
  const isFree = async (port: number) => port !== settings.port && (await tryPort(port, '127.0.0.1')) === null;
  const ports = createPorts({ isFree, random: Math.random });
  const service = { node: settings.programs.node, ports, isFree, readyWithinMs: SERVICE_READY_WITHIN_MS };
  const table = new ProcessTable({ dataDir, endpoint, reporter });
  const gateways = () => table.members.filter((member) => member.kind === 'gateway');
  const syncInBackground = () => {
    balancer.sync().catch((error: unknown) => reporter.trouble('nginx', String(error)));
  };

  const redisPlan = planRedis({
    file: settings.programs.redis,
    directory: join(dataDir.path, 'redis'),
    maxMemory: redisMaxMemory(environment),
    secrets,
    ports,
    isFree,
  });
  const redis: Other = {
    name: 'redis',
    kind: 'redis',
    process: table.manage(redisPlan, () => {}),
    address: () => redisPlan.adminUrl,
    ops: () => null,
  };

  const presencePlan = planService({
    ...service,
    name: 'presence-1',
    entry: sources.presence,
    environment: () => presenceEnvironment(environment, { redisUrl: redisPlan.maruUrl, secrets }),
  });
  const presenceUrl = () => `http://127.0.0.1:${presencePlan.port}`;
  const presence: Other = {
    name: 'presence-1',
    kind: 'presence',
    process: table.manage(presencePlan, () => {}),
    address: presenceUrl,
    ops: () => `http://127.0.0.1:${presencePlan.opsPort}`,
  };

  const balancer = createBalancer({
    file: settings.programs.nginx,
    templatePath: sources.nginxTemplate,
    directory: join(dataDir.path, 'nginx'),
    settings: {
      ...{ host: settings.host, port: settings.port, webRoot: settings.webRoot, ...options.machine },
      trustedProxies: edgeTrustedProxies(environment),
    },
    ports,
    isFree,
    nodes: () =>
      gateways().flatMap(({ name, takes, port }) => (takes === 'none' ? [] : [{ name, takes, port: port() }])),
    isUp: () => nginx.process.state === 'up',
    reload: () => void nginx.process.signal('SIGHUP'),
  });
  const nginx: Other = {
    name: 'nginx',
    kind: 'nginx',
    process: table.manage(balancer.plan, () => queueMicrotask(syncInBackground)),
    address: () => endpoint,
    ops: () => null,
  };

  function createGateway(name: string): Gateway {
    const plan = planService({
      ...service,
      name,
      entry: sources.gateway,
      environment: () =>
        gatewayEnvironment(environment, { redisUrl: redisPlan.maruUrl, presenceUrl: presenceUrl(), secrets }),
    });
    const gateway: Gateway = {
      name,
      kind: 'gateway',
      takes: 'none',
      process: table.manage(plan, () => {
        gateway.takes = 'all';
        syncInBackground();
      }),
      address: () => `http://127.0.0.1:${plan.port}`,
      ops: () => `http://127.0.0.1:${plan.opsPort}`,
      port: () => plan.port,
    };
    return gateway;
  }

  table.members.push(redis, presence, nginx);
  const openEpochs = (say: (line: string) => void) =>
    runTool({ file: settings.programs.node, entry: sources.newEpochs, redisUrl: redisPlan.maruUrl, say });
  return { table, redis, presence, nginx, balancer, gateways, createGateway, openEpochs };
}

/** The processes of one cluster, and how they find each other. Does not decide their order. */
import { join } from 'node:path';
import type { Reporter } from '../../bootstrap/terminal.mjs';
import { type Archive, createArchive } from './archive.ts';
import { type Balancer, createBalancer } from './balancer.ts';
import type { DataDir } from './data-dir.ts';
import type { Gateway, Other } from './members.ts';
import { createPorts, tryPort } from './ports.ts';
import { ProcessTable } from './process-table.ts';
import { planRedis, type RedisPlan } from './redis-plan.ts';
import { runTool } from './run-tool.ts';
import type { Secrets } from './secrets.ts';
import { planService } from './service-plan.ts';
import {
  archiverEnvironment,
  edgeConnectOrigins,
  edgeTrustedProxies,
  gatewayEnvironment,
  type Machine,
  presenceEnvironment,
  redisMaxMemory,
  type SupervisorSettings,
} from './settings.ts';
import { signToken, type TokenRequest } from './tokens.ts';

export interface ClusterOptions {
  settings: SupervisorSettings;
  machine: Machine;
  dataDir: DataDir;
  secrets: Secrets;
  environment: NodeJS.ProcessEnv;
  reporter: Reporter;
  /** The programs of the services, and the template of the nginx configuration. */
  sources: { gateway: string; presence: string; archiver: string; newEpochs: string; nginxTemplate: string };
}

/** Gateways come and go; the other processes are one each. */
export interface Cluster {
  table: ProcessTable;
  redis: Other;
  presence: Other;
  nginx: Other;
  /** Null without the archive. */
  archive: Archive | null;
  balancer: Balancer;
  gateways(): Gateway[];
  createGateway(name: string): Gateway;
  /** Opens new epochs in Redis, with the rights of the services. */
  openEpochs(say: (line: string) => void): Promise<void>;
  /** Like `signToken`. */
  token(request: TokenRequest): Promise<string>;
}

/** Options of all members. */
interface Common extends ClusterOptions {
  table: ProcessTable;
  redisPlan: RedisPlan;
  service: Pick<Parameters<typeof planService>[0], 'node' | 'ports' | 'isFree' | 'readyWithinMs'>;
}

const SERVICE_READY_WITHIN_MS = 30_000;

export function createCluster(options: ClusterOptions, endpoint: string): Cluster {
  const { settings, dataDir, secrets, environment, reporter, sources } = options;
  const isFree = async (port: number) => port !== settings.port && (await tryPort(port, '127.0.0.1')) === null;
  const ports = createPorts({ isFree, random: Math.random });
  const service = { node: settings.programs.node, ports, isFree, readyWithinMs: SERVICE_READY_WITHIN_MS };
  const table = new ProcessTable({ dataDir, endpoint, reporter });
  const gateways = () => table.members.filter((member) => member.kind === 'gateway');

  const redisPlan = planRedis({
    file: settings.programs.redis,
    directory: join(dataDir.path, 'redis'),
    maxMemory: redisMaxMemory(environment),
    ...{ secrets, ports, isFree },
  });
  const redis: Other = {
    name: 'redis',
    kind: 'redis',
    process: table.manage(redisPlan, () => {}),
    address: () => redisPlan.adminUrl,
    ops: () => null,
  };
  const common: Common = { ...options, table, redisPlan, service };
  const presence = createPresence(common);
  const archive = createOwnArchive(common);
  const { balancer, nginx, syncInBackground } = createEdge(common, endpoint, gateways);

  const environmentOfGateways = () =>
    gatewayEnvironment(environment, {
      redisUrl: redisPlan.maruUrl,
      postgresUrl: archive?.postgresUrl() ?? null,
      presenceUrl: presence.address(),
      secrets,
    });

  function createGateway(name: string): Gateway {
    const plan = planService({ ...service, name, entry: sources.gateway, environment: environmentOfGateways });
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
  if (archive !== null) table.members.push(archive.postgres, archive.archiver);
  const openEpochs = (say: (line: string) => void) =>
    runTool({ file: settings.programs.node, entry: sources.newEpochs, redisUrl: redisPlan.maruUrl, say });
  const token = (request: TokenRequest) => signToken(request, environmentOfGateways());
  return { table, redis, presence, nginx, archive, balancer, gateways, createGateway, openEpochs, token };
}

function createPresence({ environment, secrets, sources, service, table, redisPlan }: Common): Other {
  const plan = planService({
    ...service,
    name: 'presence-1',
    entry: sources.presence,
    environment: () => presenceEnvironment(environment, { redisUrl: redisPlan.maruUrl, secrets }),
  });
  return {
    name: plan.name,
    kind: 'presence',
    process: table.manage(plan, () => {}),
    address: () => `http://127.0.0.1:${plan.port}`,
    ops: () => `http://127.0.0.1:${plan.opsPort}`,
  };
}

function createOwnArchive(common: Common): Archive | null {
  const { settings, dataDir, environment, secrets, sources, service, table, redisPlan } = common;
  const programs = settings.programs.postgres;
  if (programs === null) return null;
  return createArchive({
    programs,
    directory: join(dataDir.path, 'postgres'),
    secrets,
    service,
    entry: sources.archiver,
    environment: (postgresUrl) => archiverEnvironment(environment, { redisUrl: redisPlan.archiverUrl, postgresUrl }),
    manage: (plan) => table.manage(plan, () => {}),
  });
}

function createEdge(common: Common, endpoint: string, gateways: () => Gateway[]) {
  const { settings, machine, dataDir, environment, reporter, sources, service, table } = common;
  const balancer = createBalancer({
    file: settings.programs.nginx,
    templatePath: sources.nginxTemplate,
    directory: join(dataDir.path, 'nginx'),
    settings: {
      ...{ host: settings.host, port: settings.port, webRoot: settings.webRoot, ...machine },
      trustedProxies: edgeTrustedProxies(environment),
      connectOrigins: edgeConnectOrigins(environment),
    },
    ports: service.ports,
    isFree: service.isFree,
    nodes: () =>
      gateways().flatMap(({ name, takes, port }) => (takes === 'none' ? [] : [{ name, takes, port: port() }])),
    isUp: () => nginx.process.state === 'up',
    reload: () => void nginx.process.signal('SIGHUP'),
  });
  const syncInBackground = () => {
    balancer.sync().catch((error: unknown) => reporter.trouble('nginx', String(error)));
  };
  const nginx: Other = {
    name: 'nginx',
    kind: 'nginx',
    process: table.manage(balancer.plan, () => queueMicrotask(syncInBackground)),
    address: () => endpoint,
    ops: () => null,
  };
  return { balancer, nginx, syncInBackground };
}

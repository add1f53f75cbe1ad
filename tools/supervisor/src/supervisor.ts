/** The composition root of a cluster on one machine: what runs, in which order it begins and in which it ends. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterState, RecordedProcess } from '../../bootstrap/cluster-state.mjs';
import { Failure } from '../../bootstrap/failure.mjs';
import { identityOf } from '../../bootstrap/process-identity.mjs';
import type { Reporter } from '../../bootstrap/terminal.mjs';
import { createBalancer } from './balancer.ts';
import type { ControlHandlers } from './control-server.ts';
import type { DataDir } from './data-dir.ts';
import { openLogFile } from './log-file.ts';
import { type ManagedProcess, manageProcess, type ProcessEvent, type ProcessPlan } from './managed-process.ts';
import { type Gateway, type Member, type Other, viewMember } from './members.ts';
import { createOperations } from './operations.ts';
import { createPorts, tryPort } from './ports.ts';
import { planRedis } from './redis-plan.ts';
import { runTool } from './run-tool.ts';
import type { Secrets } from './secrets.ts';
import { planService } from './service-plan.ts';
import {
  drainWithinMs,
  gatewayEnvironment,
  type Machine,
  presenceEnvironment,
  publicEndpoint,
  redisMaxMemory,
  type SupervisorSettings,
} from './settings.ts';

export interface Supervisor {
  /** Starts everything in order, each ready before the next. Rejects, with whatever began still running, when one does not start. */
  start(): Promise<void>;
  /** Ends everything in order, within 18 s. */
  stop(): Promise<void>;
  /** `kill -9` of all that runs, at once. Resolves when it is gone. */
  killAll(): Promise<void>;
  /** Tells the state file where the supervisor can be asked. */
  setControl(control: ClusterState['control']): void;
  endpoint: string;
  handlers: ControlHandlers;
}

const LOG_BYTES_MAX = 20 * 1024 * 1024;
const SERVICE_READY_WITHIN_MS = 30_000;
const LOG_LINES_SHOWN = 8;

export function createSupervisor(options: {
  settings: SupervisorSettings;
  machine: Machine;
  dataDir: DataDir;
  secrets: Secrets;
  environment: NodeJS.ProcessEnv;
  reporter: Reporter;
  /** The programs of the services, and the template of nginx' configuration. */
  sources: { gateway: string; presence: string; newEpochs: string; nginxTemplate: string };
}): Supervisor {
  const { settings, dataDir, secrets, environment, reporter, sources } = options;
  const endpoint = publicEndpoint(settings.host, settings.port);
  const isFree = async (port: number) => port !== settings.port && (await tryPort(port, '127.0.0.1')) === null;
  const ports = createPorts({ isFree, random: Math.random });
  const members: Member[] = [];
  const identities = new Map<number, string>();
  const logs = new Map<string, ReturnType<typeof openLogFile>>();
  let control: ClusterState['control'] = null;
  let stopping = false;

  function saveState(): void {
    const processes = members.flatMap(({ name, kind, process: { pid } }): RecordedProcess[] => {
      const identity = pid === null ? undefined : identities.get(pid);
      return pid === null || identity === undefined ? [] : [{ name, kind, pid, identity }];
    });
    try {
      dataDir.saveState({
        pid: process.pid,
        identity: identityOf(process.pid) ?? '',
        endpoint,
        control,
        processes,
      });
    } catch (error) {
      reporter.trouble('state', `cannot be written (${String(error)}); npm run cluster may not find this cluster`);
    }
  }

  function manage(plan: ProcessPlan, onUp: () => void): ManagedProcess {
    const log = openLogFile({
      path: join(dataDir.logs, `${plan.name}.log`),
      bytesMax: LOG_BYTES_MAX,
      onError: (error) => reporter.trouble(plan.name, `its log cannot be written: ${String(error)}`),
    });
    logs.set(plan.name, log);
    const onEvent = (event: ProcessEvent) => {
      if (event.type === 'spawned') identities.set(event.pid, event.identity);
      if (event.type === 'died') {
        reporter.trouble(plan.name, `died (${event.how}); starting it again in ${event.pauseMs / 1_000} s`);
        showLines(event.lastLines);
      }
      if (event.type === 'up') {
        onUp();
        reporter.step(plan.name, `${event.again ? 'up again' : 'up'} (pid ${event.pid})`);
      }
      saveState();
    };
    return manageProcess({ plan, cwd: dataDir.path, log, onEvent });
  }

  const showLines = (lines: readonly string[]) => {
    for (const line of lines) reporter.line(`      ${reporter.paint('quiet', line.slice(0, 400))}`);
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
    process: manage(redisPlan, () => {}),
    address: () => redisPlan.adminUrl,
    ops: () => null,
  };

  const presencePlan = planService({
    name: 'presence-1',
    node: settings.programs.node,
    entry: sources.presence,
    ports,
    isFree,
    environment: () => presenceEnvironment(environment, { redisUrl: redisPlan.maruUrl, secrets }),
    readyWithinMs: SERVICE_READY_WITHIN_MS,
  });
  const presence: Other = {
    name: 'presence-1',
    kind: 'presence',
    process: manage(presencePlan, () => {}),
    address: () => `http://127.0.0.1:${presencePlan.port}`,
    ops: () => `http://127.0.0.1:${presencePlan.opsPort}`,
  };

  const gateways = () => members.filter((member) => member.kind === 'gateway');
  const syncInBackground = () => {
    balancer.sync().catch((error: unknown) => reporter.trouble('nginx', String(error)));
  };

  const balancer = createBalancer({
    file: settings.programs.nginx,
    templatePath: sources.nginxTemplate,
    directory: join(dataDir.path, 'nginx'),
    settings: { host: settings.host, port: settings.port, webRoot: settings.webRoot, ...options.machine },
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
    process: manage(balancer.plan, () => queueMicrotask(syncInBackground)),
    address: () => endpoint,
    ops: () => null,
  };

  function createGateway(name: string): Gateway {
    const plan = planService({
      name,
      node: settings.programs.node,
      entry: sources.gateway,
      ports,
      isFree,
      environment: () =>
        gatewayEnvironment(environment, {
          redisUrl: redisPlan.maruUrl,
          presenceUrl: `http://127.0.0.1:${presencePlan.port}`,
          secrets,
        }),
      readyWithinMs: SERVICE_READY_WITHIN_MS,
    });
    const gateway: Gateway = {
      name,
      kind: 'gateway',
      takes: 'none',
      process: manage(plan, () => {
        gateway.takes = 'all';
        syncInBackground();
      }),
      address: () => `http://127.0.0.1:${plan.port}`,
      ops: () => `http://127.0.0.1:${plan.opsPort}`,
      port: () => plan.port,
    };
    return gateway;
  }

  async function startOne(member: Member): Promise<void> {
    try {
      await member.process.start();
    } catch (error) {
      if (stopping) throw new Failure('Ended while it was starting.');
      // A moment for what it said last to arrive.
      await sleep(100);
      const lines = logs.get(member.name)?.tail(LOG_LINES_SHOWN) ?? [];
      throw new Failure(
        [
          `${member.name} did not start: ${error instanceof Error ? error.message : String(error)}`,
          ...lines.map((line) => `  ${line.slice(0, 600)}`),
          `Its log: ${join(dataDir.logs, `${member.name}.log`)}`,
        ].join('\n'),
        { cause: error },
      );
    }
  }

  members.push(redis, presence, nginx);
  const operations = createOperations({
    members,
    balancer,
    createGateway,
    openEpochs: (say) =>
      runTool({ file: settings.programs.node, entry: sources.newEpochs, redisUrl: redisPlan.maruUrl, say }),
    isStopping: () => stopping,
    drainWithinMs: drainWithinMs(environment),
  });

  return {
    endpoint,
    handlers: {
      status: () => ({ endpoint, processes: [redis, presence, ...gateways(), nginx].map(viewMember) }),
      ...operations,
    },
    setControl(value) {
      control = value;
      saveState();
    },

    async start() {
      mkdirSync(join(dataDir.path, 'nginx'), { recursive: true, mode: 0o700 });
      for (let number = 1; number <= settings.gateways; number += 1) members.push(createGateway(`gateway-${number}`));
      await startOne(redis);
      await startOne(presence);
      // They do not need each other, and a machine has more than one core.
      await Promise.all(gateways().map(startOne));
      await startOne(nginx);
    },

    async stop() {
      stopping = true;
      // At worst 8.5 + 0.8 + 1 + 3 + 4 s; each service has its own, shorter deadline for a stop.
      // Nothing new comes in, and what is open ends with the gateways.
      const quit = nginx.process.end({ signal: 'SIGQUIT', withinMs: 10_000, as: 'stopping' });
      await Promise.all(
        gateways().map((gateway) => gateway.process.end({ signal: 'SIGINT', withinMs: 8_500, as: 'stopping' })),
      );
      await Promise.race([quit, sleep(800)]);
      await nginx.process.end({ signal: 'SIGTERM', withinMs: 1_000, as: 'stopping' });
      reporter.step('stopped', 'nginx and the gateways');
      await presence.process.end({ signal: 'SIGINT', withinMs: 3_000, as: 'stopping' });
      // Last, when nobody writes any more; it flushes what it has.
      await redis.process.end({ signal: 'SIGTERM', withinMs: 4_000, as: 'stopping' });
      reporter.step('stopped', 'presence and Redis');
      for (const log of logs.values()) log.close();
    },

    async killAll() {
      stopping = true;
      await Promise.all(members.map((member) => member.process.kill()));
    },
  };
}

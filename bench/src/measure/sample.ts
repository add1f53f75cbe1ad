/** Measures what the processes of an environment and Redis use. */
import type { Node, Servers } from '../variants/variants.ts';
import type { ProbeFigures } from './probe-client.ts';
import { callsBetween, type StoreCounts, type StoreMonitor } from './store.ts';
import { cpuUsOf, type MachineTime, machineTime, rssBytesOf } from './system.ts';

export interface MeasuredProcesses {
  servers: Servers;
  /** Nodes with clients. */
  serving: Node[];
  /** Nodes without clients. */
  bystanders: Node[];
  redisPid: number;
  /** nginx; undefined if clients connect directly. */
  edgePid: number | undefined;
  store: StoreMonitor;
}

export interface Usage {
  seconds: number;
  gatewayCpuUs: number;
  bystanderCpuUs: number;
  presenceCpuUs: number;
  redisCpuUs: number;
  edgeCpuUs: number;
  /** Redis calls by command. */
  storeCalls: Record<string, number>;
  storeInBytes: number;
  storeOutBytes: number;
  bystanderStoreBytes: number;
  /** The worst of the serving nodes. */
  loopDelayMs: { p50: number; p99: number };
  /** Shares of the time of all processors. */
  machineBusy: number;
  machineStolen: number;
}

interface Snapshot {
  atMs: number;
  cpu: Record<'gateway' | 'bystander' | 'presence' | 'redis' | 'edge', number>;
  store: StoreCounts;
  probes: ProbeFigures[];
  bystanders: ProbeFigures[];
  machine: MachineTime;
}

export interface Meter {
  begin(): Promise<void>;
  end(): Promise<void>;
  /** Total of all parts. A part lasts from `begin` to `end`. */
  usage(): Usage;
}

export function createMeter(processes: MeasuredProcesses): Meter {
  const parts: Usage[] = [];
  let before: Snapshot | undefined;
  return {
    async begin() {
      before = await takeSnapshot(processes, 'watch');
    },
    async end() {
      if (before === undefined) throw new Error('end() without begin()');
      parts.push(usageBetween(before, await takeSnapshot(processes, 'read')));
      before = undefined;
    },
    usage: () => parts.reduce(mergeUsage),
  };
}

/** Adds counts. Averages the rest, weighted by time. */
function mergeUsage(one: Usage, other: Usage): Usage {
  const seconds = one.seconds + other.seconds;
  const mean = (value: (usage: Usage) => number) => (value(one) * one.seconds + value(other) * other.seconds) / seconds;
  const storeCalls = { ...one.storeCalls };
  for (const [name, count] of Object.entries(other.storeCalls)) storeCalls[name] = (storeCalls[name] ?? 0) + count;
  return {
    seconds,
    gatewayCpuUs: one.gatewayCpuUs + other.gatewayCpuUs,
    bystanderCpuUs: one.bystanderCpuUs + other.bystanderCpuUs,
    presenceCpuUs: one.presenceCpuUs + other.presenceCpuUs,
    redisCpuUs: one.redisCpuUs + other.redisCpuUs,
    edgeCpuUs: one.edgeCpuUs + other.edgeCpuUs,
    storeCalls,
    storeInBytes: one.storeInBytes + other.storeInBytes,
    storeOutBytes: one.storeOutBytes + other.storeOutBytes,
    bystanderStoreBytes: one.bystanderStoreBytes + other.bystanderStoreBytes,
    loopDelayMs: { p50: mean((usage) => usage.loopDelayMs.p50), p99: mean((usage) => usage.loopDelayMs.p99) },
    machineBusy: mean((usage) => usage.machineBusy),
    machineStolen: mean((usage) => usage.machineStolen),
  };
}

async function takeSnapshot(processes: MeasuredProcesses, probe: 'watch' | 'read'): Promise<Snapshot> {
  const { servers, serving, bystanders } = processes;
  const request = (nodes: Node[]) => Promise.all(nodes.map((node) => node.probe.request(probe)));
  const [probes, bystanderProbes, store] = [
    await request(serving),
    await request(bystanders),
    await processes.store.counts(),
  ];
  const sum = (pids: number[]) => pids.reduce((total, pid) => total + cpuUsOf(pid), 0);
  return {
    atMs: performance.now(),
    cpu: {
      gateway: sum(serving.map(({ pid }) => pid)),
      bystander: sum(bystanders.map(({ pid }) => pid)),
      presence: sum(servers.presence === undefined ? [] : [servers.presence.pid]),
      redis: sum([processes.redisPid]),
      edge: sum(processes.edgePid === undefined ? [] : [processes.edgePid]),
    },
    store,
    probes,
    bystanders: bystanderProbes,
    machine: machineTime(),
  };
}

function usageBetween(before: Snapshot, after: Snapshot): Usage {
  const cpu = (name: keyof Snapshot['cpu']) => after.cpu[name] - before.cpu[name];
  const storeBytes = (snapshot: Snapshot) =>
    snapshot.bystanders.reduce((sum, { fromStoreBytes }) => sum + fromStoreBytes, 0);
  const worst = (value: (figures: ProbeFigures) => number) => Math.max(0, ...after.probes.map(value));
  const ticks = after.machine.all - before.machine.all;
  return {
    seconds: (after.atMs - before.atMs) / 1_000,
    gatewayCpuUs: cpu('gateway'),
    bystanderCpuUs: cpu('bystander'),
    presenceCpuUs: cpu('presence'),
    redisCpuUs: cpu('redis'),
    edgeCpuUs: cpu('edge'),
    storeCalls: callsBetween(before.store, after.store),
    storeInBytes: after.store.inBytes - before.store.inBytes,
    storeOutBytes: after.store.outBytes - before.store.outBytes,
    bystanderStoreBytes: storeBytes(after) - storeBytes(before),
    loopDelayMs: { p50: worst((figures) => figures.loopDelayMs.p50), p99: worst((figures) => figures.loopDelayMs.p99) },
    machineBusy: (after.machine.busy - before.machine.busy) / ticks,
    machineStolen: (after.machine.stolen - before.machine.stolen) / ticks,
  };
}

export const rssOf = (nodes: Node[]): number => nodes.reduce((sum, { pid }) => sum + rssBytesOf(pid), 0);

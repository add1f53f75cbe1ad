/** What the processes of a site and its store have used between two moments. */
import type { Node, Servers } from '../variants/variants.ts';
import type { ProbeFigures } from './probe-client.ts';
import { callsBetween, type StoreCounts, type StoreWatch } from './store.ts';
import { cpuUsOf, type MachineTime, machineTime, rssBytesOf } from './system.ts';

export interface Site {
  servers: Servers;
  /** Nodes with clients, and those without. */
  serving: Node[];
  bystanders: Node[];
  redisPid: number;
  /** nginx, where clients come through it. */
  edgePid: number | undefined;
  store: StoreWatch;
}

export interface Usage {
  seconds: number;
  gatewayCpuUs: number;
  bystanderCpuUs: number;
  presenceCpuUs: number;
  redisCpuUs: number;
  edgeCpuUs: number;
  /** Calls by command. */
  storeCalls: Record<string, number>;
  storeInBytes: number;
  storeOutBytes: number;
  bystanderStoreBytes: number;
  /** Of the serving node that was worst. */
  loopDelayMs: { p50: number; p99: number };
  /** Shares of all processors. */
  machineBusy: number;
  machineStolen: number;
}

interface Moment {
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
  /** Between each `begin` and its `end`, together. */
  usage(): Usage;
}

export function createMeter(site: Site): Meter {
  const parts: Usage[] = [];
  let before: Moment | undefined;
  return {
    async begin() {
      before = await look(site, 'watch');
    },
    async end() {
      if (before === undefined) throw new Error('nothing was begun');
      parts.push(usageBetween(before, await look(site, 'read')));
      before = undefined;
    },
    usage: () => parts.reduce(together),
  };
}

/** What is no sum is the mean over the time. */
function together(one: Usage, other: Usage): Usage {
  const seconds = one.seconds + other.seconds;
  const mean = (of: (usage: Usage) => number) => (of(one) * one.seconds + of(other) * other.seconds) / seconds;
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
    loopDelayMs: { p50: mean((of) => of.loopDelayMs.p50), p99: mean((of) => of.loopDelayMs.p99) },
    machineBusy: mean((of) => of.machineBusy),
    machineStolen: mean((of) => of.machineStolen),
  };
}

async function look(site: Site, probe: 'watch' | 'read'): Promise<Moment> {
  const { servers, serving, bystanders } = site;
  const ask = (nodes: Node[]) => Promise.all(nodes.map((node) => node.probe.ask(probe)));
  const [probes, away, store] = [await ask(serving), await ask(bystanders), await site.store.counts()];
  const sum = (pids: number[]) => pids.reduce((total, pid) => total + cpuUsOf(pid), 0);
  return {
    atMs: performance.now(),
    cpu: {
      gateway: sum(serving.map(({ pid }) => pid)),
      bystander: sum(bystanders.map(({ pid }) => pid)),
      presence: sum(servers.presence === undefined ? [] : [servers.presence.pid]),
      redis: sum([site.redisPid]),
      edge: sum(site.edgePid === undefined ? [] : [site.edgePid]),
    },
    store,
    probes,
    bystanders: away,
    machine: machineTime(),
  };
}

function usageBetween(before: Moment, after: Moment): Usage {
  const cpu = (of: keyof Moment['cpu']) => after.cpu[of] - before.cpu[of];
  const storeBytes = (moment: Moment) => moment.bystanders.reduce((sum, { fromStoreBytes }) => sum + fromStoreBytes, 0);
  const worst = (of: (figures: ProbeFigures) => number) => Math.max(0, ...after.probes.map(of));
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
    loopDelayMs: { p50: worst((of) => of.loopDelayMs.p50), p99: worst((of) => of.loopDelayMs.p99) },
    machineBusy: (after.machine.busy - before.machine.busy) / ticks,
    machineStolen: (after.machine.stolen - before.machine.stolen) / ticks,
  };
}

export const rssOf = (nodes: Node[]): number => nodes.reduce((sum, { pid }) => sum + rssBytesOf(pid), 0);

/** How one load is run on one variant's site: warmed once, measured in one or several slices, judged at the end. */
import type { Figures } from '../figures.ts';
import type { WindowFigures } from '../generator/commands.ts';
import { type Verdict, whyVoid } from '../generator/ledger.ts';
import type { Usage } from '../measure/sample.ts';
import type { RunSite } from '../site.ts';

export interface Outcome {
  figures: Figures;
  storeCalls: Record<string, number>;
  voidReasons: string[];
  warnings: string[];
}

export interface Course {
  /** What comes before anything is measured. Called once, first. */
  warm(): Promise<void>;
  /** Measures a part. Called as often as the load's pace says. */
  slice(): Promise<void>;
  /** Figures of all slices together, and whether they count. */
  end(): Promise<Outcome>;
}

/** Deliveries that have not come so long after the last one are missing. */
export const PATIENCE_MS = 5_000;
/** From a close until the servers have done with it. */
export const DISCONNECT_MS = 1_500;
/** Connecting at the same time where connecting is not what is measured. */
export const CONCURRENCY = 50;
/** From these shares on the generator, or the machine, is part of what is measured. */
const GENERATOR_SHARE_MAX = 0.85;
const LATENESS_MAX_US = 10_000;
const MACHINE_SHARE_MAX = 0.97;
const STOLEN_SHARE_MAX = 0.05;

export const putOffs = ({ joins }: WindowFigures): string[] =>
  joins.putOff > 0 ? [`${joins.putOff} joins were refused for the moment and asked again`] : [];

export function connectFigures(site: RunSite, usage: Usage, window: WindowFigures): Figures {
  const { joinUs, wallMs } = window.joins;
  const clients = joinUs.count;
  return {
    gatewayUsPerConnection: usage.gatewayCpuUs / clients,
    redisUsPerConnection: usage.redisCpuUs / clients,
    ...(site.servers.presence === undefined ? {} : { presenceUsPerConnection: usage.presenceCpuUs / clients }),
    ...(site.edgePid === undefined ? {} : { edgeUsPerConnection: usage.edgeCpuUs / clients }),
    joinP50Ms: joinUs.p50 / 1_000,
    joinP99Ms: joinUs.p99 / 1_000,
    connectionsPerSecond: clients / (wallMs / 1_000),
    loopDelayP99Ms: usage.loopDelayMs.p99,
    ...generatorFigures(window, usage),
  };
}

export const generatorFigures = ({ generator }: WindowFigures, { machineBusy }: Usage): Figures => ({
  generatorCpuPercent: generator.cpuShare * 100,
  ...(generator.latenessUs.count > 0 ? { latenessP99Ms: generator.latenessUs.p99 / 1_000 } : {}),
  machineBusyPercent: machineBusy * 100,
});

export const whyVoidWithoutMessages = (verdict: Verdict): string[] => whyVoid({ ...verdict, expected: 1 });

export function doubtsOf({ generator }: WindowFigures, usage: Usage): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const doubts: string[] = [];
  if (generator.cpuShare > GENERATOR_SHARE_MAX || generator.loopShare > GENERATOR_SHARE_MAX)
    doubts.push(`the load generator was the bottleneck: ${percent(generator.loopShare)} of its loop was busy`);
  if (generator.latenessUs.p99 > LATENESS_MAX_US)
    doubts.push(`the load generator was late: p99 ${(generator.latenessUs.p99 / 1_000).toFixed(0)} ms`);
  if (usage.machineBusy > MACHINE_SHARE_MAX)
    doubts.push(`the machine was busy for ${percent(usage.machineBusy)}: times hold its queues`);
  if (usage.machineStolen > STOLEN_SHARE_MAX)
    doubts.push(`other virtual machines took ${percent(usage.machineStolen)} of the processors`);
  return doubts;
}

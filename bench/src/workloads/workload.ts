/**
 * How the bench runs one load: warm up once, measure in one or more slices, then check and report.
 */
import type { Environment } from '../environment.ts';
import type { Figures } from '../figures.ts';
import type { WindowFigures } from '../generator/commands.ts';
import { type CheckResult, voidReasonsOf } from '../generator/ledger.ts';
import type { Usage } from '../measure/sample.ts';

export interface Outcome {
  figures: Figures;
  storeCalls: Record<string, number>;
  voidReasons: string[];
  warnings: string[];
}

/** The caller MUST call `warm` once, then `slice` one or more times, then `end` once. */
export interface Workload {
  /** Does everything before the measurement. */
  warm(): Promise<void>;
  /** Measures one part. */
  slice(): Promise<void>;
  /** Gives the figures of all slices together, and the reasons why they do not count. */
  end(): Promise<Outcome>;
}

/** If no delivery arrives for this long, the remaining ones are missing. */
export const DELIVERY_TIMEOUT_MS = 5_000;
/** Servers have cleaned up closed connections after this time. */
export const DISCONNECT_MS = 1_500;
/** Simultaneous connection attempts, if connecting is not measured. */
export const CONCURRENCY = 50;
/** Above these limits the generator or the machine distorts the figures. */
const GENERATOR_SHARE_MAX = 0.85;
const LATENESS_MAX_US = 10_000;
const MACHINE_SHARE_MAX = 0.97;
const STOLEN_SHARE_MAX = 0.05;

export const retryWarnings = ({ joins }: WindowFigures): string[] =>
  joins.retries > 0 ? [`${joins.retries} joins were refused as retryable and repeated`] : [];

export function connectFigures(environment: Environment, usage: Usage, window: WindowFigures): Figures {
  const { joinUs, wallMs } = window.joins;
  const clients = joinUs.count;
  return {
    gatewayUsPerConnection: usage.gatewayCpuUs / clients,
    redisUsPerConnection: usage.redisCpuUs / clients,
    ...(environment.servers.presence === undefined ? {} : { presenceUsPerConnection: usage.presenceCpuUs / clients }),
    ...(environment.edgePid === undefined ? {} : { edgeUsPerConnection: usage.edgeCpuUs / clients }),
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

/** For workloads that send no messages. */
export const voidReasonsWithoutMessages = (result: CheckResult): string[] => voidReasonsOf({ ...result, expected: 1 });

export function warningsOf({ generator }: WindowFigures, usage: Usage): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const warnings: string[] = [];
  if (generator.cpuShare > GENERATOR_SHARE_MAX || generator.loopShare > GENERATOR_SHARE_MAX)
    warnings.push(`the load generator was the bottleneck: its event loop was busy ${percent(generator.loopShare)}`);
  if (generator.latenessUs.p99 > LATENESS_MAX_US)
    warnings.push(`the load generator sent late: p99 ${(generator.latenessUs.p99 / 1_000).toFixed(0)} ms`);
  if (usage.machineBusy > MACHINE_SHARE_MAX)
    warnings.push(`the machine was busy ${percent(usage.machineBusy)}: latencies include waiting for a processor`);
  if (usage.machineStolen > STOLEN_SHARE_MAX)
    warnings.push(`other virtual machines took ${percent(usage.machineStolen)} of the processor time`);
  return warnings;
}

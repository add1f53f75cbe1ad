/** One run of each kind of load: what is done, what is measured, and whether it counts. */
import { sleep } from '@maru/service-kit/testing';
import type { Figures } from './figures.ts';
import type { Connected, WindowFigures } from './generator/commands.ts';
import { type Verdict, whyVoid } from './generator/ledger.ts';
import type { ConnectLoad, IdleLoad, Load, Pace, ResumeLoad, SteadyLoad } from './loads.ts';
import { rssOf, startUsage, type Usage } from './measure/sample.ts';
import type { RunSite } from './site.ts';

export interface Outcome {
  figures: Figures;
  storeCalls: Record<string, number>;
  voidReasons: string[];
  warnings: string[];
}

/** Connecting at the same time where connecting is not what is measured. */
const CONCURRENCY = 50;
/** The end of a warm-up, at the pace that is measured. */
const CALM_SHARE = 0.1;
/** Deliveries that have not come so long after the last one are missing. */
const PATIENCE_MS = 5_000;
const DISCONNECT_MS = 1_500;
/** Crowds that warm a process up before a storm of connections is measured. After three V8 has still much to compile (decision 0021). */
const WARMING_CROWDS = 12;
/** Connections that warm a process up before its memory is looked at. */
const WARMING_CLIENTS = 200;
/** From these shares on the generator, or the machine, is part of what is measured. */
const GENERATOR_SHARE_MAX = 0.85;
const LATENESS_MAX_US = 10_000;
const MACHINE_SHARE_MAX = 0.97;
const STOLEN_SHARE_MAX = 0.05;
const KB = 1_024;

export function runLoad(load: Load, site: RunSite, pace: Pace): Promise<Outcome> {
  switch (load.kind) {
    case 'steady':
      return runSteady(load, site, pace);
    case 'idle':
      return runIdle(load, site, pace);
    case 'connect':
      return runConnect(load, site, pace);
    case 'resume':
      return runResume(load, site);
  }
}

async function runSteady(load: SteadyLoad, site: RunSite, pace: Pace): Promise<Outcome> {
  const { generator } = site;
  await generator.ask('connect', { from: 0, to: load.clients, concurrency: CONCURRENCY, resume: false });
  const { burst, clients: senders, perSecond } = load;
  await generator.ask('send', { perSecond: perSecond * load.warmUpTimes, burst, senders });
  await sleep(pace.warmUpMs * (1 - CALM_SHARE));
  await generator.ask('pause', null);
  await generator.ask('send', { perSecond, burst, senders });
  await sleep(pace.warmUpMs * CALM_SHARE);
  const endUsage = await startUsage(site);
  await generator.ask('open', null);
  await sleep(pace.measureMs);
  const window = await generator.ask('shut', null);
  const usage = await endUsage();
  const verdict = await generator.ask('settle', { patienceMs: PATIENCE_MS });
  const per = (total: number, count: number) => total / count;
  const { deliveries, sent } = window;
  const calls = Object.values(usage.storeCalls).reduce((sum, count) => sum + count, 0);
  const scripts = (usage.storeCalls.evalsha ?? 0) + (usage.storeCalls.eval ?? 0);
  return {
    figures: {
      gatewayUsPerDelivery: per(usage.gatewayCpuUs, deliveries),
      gatewayUsPerMessage: per(usage.gatewayCpuUs, sent),
      redisUsPerMessage: per(usage.redisCpuUs, sent),
      ...(site.servers.presence === undefined ? {} : { presenceUsPerMessage: per(usage.presenceCpuUs, sent) }),
      ...(site.edgePid !== undefined ? { edgeUsPerDelivery: per(usage.edgeCpuUs, deliveries) } : {}),
      deliveryP50Ms: window.deliveryUs.p50 / 1_000,
      deliveryP99Ms: window.deliveryUs.p99 / 1_000,
      deliveryP999Ms: window.deliveryUs.p999 / 1_000,
      ackP50Ms: window.ackUs.p50 / 1_000,
      ackP99Ms: window.ackUs.p99 / 1_000,
      ackP999Ms: window.ackUs.p999 / 1_000,
      storeCallsPerMessage: per(calls, sent),
      storeScriptsPerMessage: per(scripts, sent),
      storeInBytesPerMessage: per(usage.storeInBytes, sent),
      storeOutBytesPerMessage: per(usage.storeOutBytes, sent),
      loopDelayP99Ms: usage.loopDelayMs.p99,
      messagesPerSecond: per(sent, window.seconds),
      deliveriesPerSecond: per(deliveries, window.seconds),
      ...bystandersOf(site, usage, sent),
      ...generatorFigures(window, usage),
    },
    storeCalls: usage.storeCalls,
    voidReasons: whyVoid(verdict),
    warnings: doubtsOf(window, usage),
  };
}

function bystandersOf({ bystanders }: RunSite, usage: Usage, sent: number): Figures {
  const count = bystanders.length;
  if (count === 0) return {};
  return {
    bystanderCpuPercent: usage.bystanderCpuUs / count / usage.seconds / 10_000,
    bystanderBytesPerMessage: usage.bystanderStoreBytes / count / sent,
  };
}

/** What N more connections cost processes that have had as many before. */
async function runIdle(load: IdleLoad, site: RunSite, pace: Pace): Promise<Outcome> {
  const { generator, serving } = site;
  const all = { from: 0, to: load.clients, concurrency: CONCURRENCY, resume: false };
  const collect = async () => {
    const told = await Promise.all(serving.map((node) => node.probe.ask('collect')));
    return told.reduce((sum, { heapBytes }) => sum + heapBytes, 0);
  };
  await generator.ask('connect', { ...all, to: WARMING_CLIENTS });
  await generator.ask('close', { from: 0, to: WARMING_CLIENTS, abruptly: false });
  await sleep(DISCONNECT_MS);
  const [heapBefore, rssBefore] = [await collect(), rssOf(serving)];
  await generator.ask('connect', all);
  await generator.ask('close', { from: 0, to: load.clients, abruptly: false });
  await sleep(DISCONNECT_MS);
  await generator.ask('connect', all);
  await sleep(pace.restMs);
  const rssAfter = rssOf(serving);
  const endUsage = await startUsage(site);
  await generator.ask('open', null);
  await sleep(pace.measureMs);
  const window = await generator.ask('shut', null);
  const usage = await endUsage();
  const heapAfter = await collect();
  const verdict = await generator.ask('settle', { patienceMs: 0 });
  return {
    figures: {
      kbPerConnection: (rssAfter - rssBefore) / KB / load.clients,
      heapKbPerConnection: (heapAfter - heapBefore) / KB / load.clients,
      idleCpuPercent: usage.gatewayCpuUs / usage.seconds / 10_000,
      idleRedisCpuPercent: usage.redisCpuUs / usage.seconds / 10_000,
      loopDelayP99Ms: usage.loopDelayMs.p99,
      ...generatorFigures(window, usage),
    },
    storeCalls: usage.storeCalls,
    voidReasons: whyVoidWithoutMessages(verdict),
    warnings: doubtsOf(window, usage),
  };
}

async function runConnect(load: ConnectLoad, site: RunSite, pace: Pace): Promise<Outcome> {
  const { generator } = site;
  const all = { from: 0, to: load.clients, concurrency: load.concurrency, resume: false };
  // The same crowd has been there before: what is compiled at the first connections belongs to the start, not to them.
  for (let crowd = 0; crowd < WARMING_CROWDS; crowd++) {
    await generator.ask('connect', all);
    await generator.ask('close', { from: 0, to: load.clients, abruptly: false });
    await sleep(Math.max(DISCONNECT_MS, pace.restMs));
  }
  const endUsage = await startUsage(site);
  await generator.ask('open', null);
  const connected = await generator.ask('connect', all);
  const window = await generator.ask('shut', null);
  const usage = await endUsage();
  const verdict = await generator.ask('settle', { patienceMs: 0 });
  return {
    figures: connectFigures(site, usage, window, connected, load.clients),
    storeCalls: usage.storeCalls,
    voidReasons: whyVoidWithoutMessages(verdict),
    warnings: [...doubtsOf(window, usage), ...putOffs(connected)],
  };
}

const putOffs = ({ putOff }: Connected): string[] =>
  putOff > 0 ? [`${putOff} joins were refused for the moment and asked again`] : [];

async function runResume(load: ResumeLoad, site: RunSite): Promise<Outcome> {
  const { generator, variant } = site;
  // The first of each room stay, and send what the others miss.
  const stayers = load.rooms * site.serving.length;
  const crowd = { from: stayers, to: load.clients, concurrency: load.concurrency };
  await generator.ask('connect', { ...crowd, from: 0, resume: false });
  const perSecond = (load.rooms * load.missed) / MISSED_SECONDS;
  await generator.ask('send', { perSecond, burst: 1, senders: site.serving.length });
  await sleep(BEFORE_LOSS_MS);
  await generator.ask('close', { from: stayers, to: load.clients, abruptly: true });
  await sleep(MISSED_SECONDS * 1_000);
  await generator.ask('pause', null);
  const endUsage = await startUsage(site);
  await generator.ask('open', null);
  const connected = await generator.ask('connect', { ...crowd, resume: true });
  const window = await generator.ask('shut', null);
  // Whoever cannot give back what was missed will not begin to by waiting.
  const verdict = await generator.ask('settle', { patienceMs: variant.canResume ? PATIENCE_MS : 0 });
  const usage = await endUsage();
  const missed = verdict.missing + window.deliveries;
  return {
    figures: {
      ...connectFigures(site, usage, window, connected, load.clients - stayers),
      missedGiven: (100 * (missed - verdict.missing)) / missed,
    },
    storeCalls: usage.storeCalls,
    // Losing what was missed is what the others do here: their figure says it, and their runs count.
    voidReasons: whyVoid(variant.canResume ? verdict : { ...verdict, missing: 0 }),
    warnings: [...doubtsOf(window, usage), ...putOffs(connected)],
  };
}

/** How long the crowd hears the room before it is cut off, and how long it is away. */
const BEFORE_LOSS_MS = 1_000;
const MISSED_SECONDS = 2;

function connectFigures(
  site: RunSite,
  usage: Usage,
  window: WindowFigures,
  connected: Connected,
  clients: number,
): Figures {
  return {
    gatewayUsPerConnection: usage.gatewayCpuUs / clients,
    redisUsPerConnection: usage.redisCpuUs / clients,
    ...(site.servers.presence === undefined ? {} : { presenceUsPerConnection: usage.presenceCpuUs / clients }),
    ...(site.edgePid !== undefined ? { edgeUsPerConnection: usage.edgeCpuUs / clients } : {}),
    joinP50Ms: connected.joinUs.p50 / 1_000,
    joinP99Ms: connected.joinUs.p99 / 1_000,
    connectionsPerSecond: clients / (connected.wallMs / 1_000),
    loopDelayP99Ms: usage.loopDelayMs.p99,
    ...generatorFigures(window, usage),
  };
}

const generatorFigures = ({ generator }: WindowFigures, { machineBusy }: Usage): Figures => ({
  generatorCpuPercent: generator.cpuShare * 100,
  ...(generator.latenessUs.count > 0 ? { latenessP99Ms: generator.latenessUs.p99 / 1_000 } : {}),
  machineBusyPercent: machineBusy * 100,
});

const whyVoidWithoutMessages = (verdict: Verdict): string[] => whyVoid({ ...verdict, expected: 1 });

function doubtsOf({ generator }: WindowFigures, usage: Usage): string[] {
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

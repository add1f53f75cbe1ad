/**
 * The common part of all scenarios: settings, guests, rooms, and one member for each client slot.
 */
import { vu } from 'k6/execution';
import type { Options } from 'k6/options';
import { pause } from '../../packages/testkit/src/client/runtime.ts';
import { type MemberOptions, runMember } from './chat-member.ts';
import { createGuests } from './identities.ts';
import { addVerdict, createK6Report } from './k6-report.ts';
import { k6Runtime } from './k6-runtime.ts';
import { createClimb } from './knee.ts';
import { type Catalogue, readSettings, type Settings, tokensFrom } from './settings.ts';
import {
  type ClientSlot,
  clientsOf,
  k6Scenario,
  partOf,
  phaseAt,
  rampDelayMs,
  roomsOf,
  type Schedule,
  type Shape,
  scheduleFrom,
  slotsOf,
} from './shapes.ts';
import { conversations, correctness, figuresOf, speed, type Thresholds } from './thresholds.ts';
import { createToleranceChecker, type Tolerance } from './tolerance.ts';

const TIMEOUT_MS = 10_000;

/** What differs between scenarios. */
export interface Plan {
  shape: Shape;
  /** In addition to correctness, which every scenario checks. */
  thresholds: Thresholds;
  /** Compares one phase with another. */
  tolerance?: Tolerance;
  /** Phases are steps. A user enters the next step only if the previous one held. */
  climbP99MsMax?: number;
  absences?(slot: ClientSlot, schedule: Schedule): MemberOptions['absences'];
  /** Lines that are printed when a phase begins. */
  announcements?: Readonly<Record<string, string>>;
  /** Lines that are printed after the run, from the metrics of `handleSummary`. */
  summary?(metrics: SummaryMetrics, shape: Shape): string[];
}

export type SummaryMetrics = Record<string, { values: Record<string, number | undefined> } | undefined>;

interface Run {
  name: string;
  tokens: string[];
  rooms: Record<string, string[]>;
  schedule: Schedule;
}

export interface K6Run {
  options: Options;
  setup(): Run;
  member(run: Run): Promise<void>;
  handleSummary(data: { metrics: SummaryMetrics }): undefined;
}

/** Call it once, when the module of a scenario loads. @throws {Error} for invalid settings */
export function createRun(scenario: string, planFor: (settings: Settings) => Plan): K6Run {
  const catalogue = JSON.parse(open(import.meta.resolve('../scenarios.json'))) as Catalogue;
  const settings = readSettings(__ENV, catalogue[scenario] ?? {});
  const tokensText = settings.tokensFile === undefined ? undefined : open(settings.tokensFile);
  const plan = planFor(settings);
  const shape = partOf(plan.shape, settings.runners);
  // All members of this virtual user share them.
  const tolerance = plan.tolerance === undefined ? undefined : createToleranceChecker(plan.tolerance);
  const climb = plan.climbP99MsMax === undefined ? undefined : createClimb({ p99MsMax: plan.climbP99MsMax });

  const phases = shape.phases.map(({ name }) => name);
  const options: Options = {
    scenarios: { [scenario]: k6Scenario(shape, settings.runners) },
    thresholds: {
      ...(phases.length > 1 && figuresOf(phases)),
      ...correctness({ members: clientsOf(shape) }),
      ...(settings.actsShare > 0 && conversations()),
      ...(plan.climbP99MsMax === undefined && speed(settings)),
      ...plan.thresholds,
    },
    summaryTrendStats: ['avg', 'med', 'p(90)', 'p(99)', 'max'],
    setupTimeout: '120s',
  };

  async function chat(run: Run, slot: ClientSlot): Promise<void> {
    const { group, index } = slot;
    await pause(k6Runtime, rampDelayMs(shape, index));
    const name = `${run.name}-c${index}`;
    const verdict = await runMember({
      url: settings.url,
      token: run.tokens[index] ?? '',
      run: run.name,
      name,
      rooms: roomsOf(run.rooms[group.name] ?? [], slot),
      schedule: run.schedule,
      group,
      absences: plan.absences?.(slot, run.schedule) ?? [],
      actsShare: settings.actsShare,
      maySend: (nowMs) => climb?.mayEnter(phaseAt(run.schedule, nowMs)) ?? true,
      openTimeoutMs: TIMEOUT_MS,
      ackTimeoutMs: TIMEOUT_MS,
      runtime: k6Runtime,
      report: createK6Report({ schedule: run.schedule, group: group.name, tolerance, climb }),
    });
    addVerdict(name, verdict);
  }

  async function announce({ phases: all }: Schedule): Promise<void> {
    for (const { name, fromMs } of all) {
      const text = plan.announcements?.[name];
      if (text === undefined) continue;
      await pause(k6Runtime, fromMs - k6Runtime.now());
      console.log(text);
    }
  }

  return {
    options,
    setup() {
      const count = clientsOf(shape);
      const tokens =
        tokensText === undefined ? createGuests({ url: settings.url, count }) : tokensFrom(tokensText, count);
      // Rooms are new in every run, so entries of other runs cannot appear in them.
      const name = `${scenario}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
      const rooms = shape.groups.map((group) => [
        group.name,
        Array.from({ length: group.rooms }, (_, index) => `${name}-${group.name}-${index}`),
      ]);
      return { name, tokens, rooms: Object.fromEntries(rooms), schedule: scheduleFrom(shape, Date.now()) };
    },
    async member(run) {
      const first = vu.idInInstance === 1;
      await Promise.all([
        ...slotsOf(shape, vu.idInInstance - 1).map((slot) => chat(run, slot)),
        ...(first ? [announce(run.schedule)] : []),
      ]);
    },
    handleSummary({ metrics }) {
      for (const line of plan.summary?.(metrics, shape) ?? []) console.log(line);
      // Without a returned value k6 prints its own summary.
      return undefined;
    },
  };
}

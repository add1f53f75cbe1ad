/**
 * One round: runs a load once with each variant. For most loads it starts and warms up all
 * variants, then measures them in short turns, so that other users of the machine disturb all
 * variants equally. For `idle` and `resume` loads it runs one variant at a time.
 */
import { sleep } from '@maru/service-kit/testing';
import type { RunResult } from './figures.ts';
import type { Load, Pace } from './loads.ts';
import { isMeasuredInTurns, slotsOf } from './schedule.ts';
import { VariantRun } from './variant-run.ts';
import type { Variant } from './variants/variants.ts';

export interface RoundOptions {
  load: Load;
  round: number;
  variants: Variant[];
  pace: Pace;
  onStep: (step: string) => void;
}

export interface RunningRound {
  results: Promise<RunResult[]>;
  /** Ends all processes. The unfinished runs become void. */
  abort(): Promise<void>;
  /** Versions of the programs that are not npm packages. Filled during the round. */
  programs: Record<string, string>;
}

export function startRound(options: RoundOptions): RunningRound {
  const { load, round, variants, pace, onStep } = options;
  const runs: VariantRun[] = [];
  const programs: Record<string, string> = {};
  let aborted = false;

  const warm = async (run: VariantRun) => {
    onStep(`warming ${run.name}`);
    await run.warm();
    Object.assign(programs, run.programs);
  };

  const measure = async (group: VariantRun[]) => {
    onStep(`measuring ${group.map(({ name }) => name).join(', ')}${group.length > 1 ? ' in turns' : ''}`);
    const startMs = performance.now();
    for (const { turn, atMs } of slotsOf(load, group.length, pace)) {
      if (!aborted) await sleep(Math.max(0, startMs + atMs - performance.now()));
      await group[turn]?.slice();
    }
    for (const run of group) await run.end();
  };

  const runGroup = async (members: Variant[]) => {
    const group = members.map((variant) => new VariantRun({ load, round, variant, pace }));
    runs.push(...group);
    try {
      for (const run of group) {
        if (aborted) await run.abort();
        await warm(run);
      }
      await measure(group);
    } finally {
      await Promise.all(group.map((run) => run.close()));
    }
  };

  const runAll = async (): Promise<RunResult[]> => {
    if (isMeasuredInTurns(load)) await runGroup(variants);
    else for (const variant of variants) await runGroup([variant]);
    return runs.flatMap(({ result }) => result ?? []);
  };

  return {
    results: runAll(),
    programs,
    async abort() {
      aborted = true;
      await Promise.all(runs.map((run) => run.abort()));
    },
  };
}

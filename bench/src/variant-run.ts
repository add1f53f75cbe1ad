/**
 * One variant in one round. A failure becomes the run's void result, so other variants continue.
 */
import { createChildren } from './children.ts';
import { type Environment, type OpenEnvironment, openEnvironment } from './environment.ts';
import type { RunResult } from './figures.ts';
import type { Load, Pace } from './loads.ts';
import type { Variant } from './variants/variants.ts';
import { connectWorkload } from './workloads/connect.ts';
import { idleWorkload } from './workloads/idle.ts';
import { resumeWorkload } from './workloads/resume.ts';
import { steadyWorkload } from './workloads/steady.ts';
import type { Outcome, Workload } from './workloads/workload.ts';

export interface VariantRunOptions {
  load: Load;
  round: number;
  variant: Variant;
  pace: Pace;
}

/** None of the methods rejects because of a failed variant. After a failure they do nothing. */
export class VariantRun {
  readonly #options: VariantRunOptions;
  readonly #children = createChildren();
  #environment: OpenEnvironment | undefined;
  #workload: Workload | undefined;
  #result: RunResult | undefined;
  #aborted = false;

  constructor(options: VariantRunOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.variant.name;
  }

  get result(): RunResult | undefined {
    return this.#result;
  }

  /** Versions of the programs that are not npm packages. Empty before `warm`. */
  get programs(): Record<string, string> {
    return this.#environment?.programs ?? {};
  }

  warm(): Promise<void> {
    return this.#attempt(async () => {
      const { load, pace, variant } = this.#options;
      this.#environment = await openEnvironment({ variant, load, children: this.#children });
      this.#workload = createWorkload(load, this.#environment, pace);
      await this.#workload.warm();
    });
  }

  slice(): Promise<void> {
    return this.#attempt(async () => this.#workload?.slice());
  }

  end(): Promise<void> {
    return this.#attempt(async () => {
      if (this.#workload !== undefined) this.#finish(await this.#workload.end());
    });
  }

  /** Ends all processes. An unfinished run becomes void. */
  async abort(): Promise<void> {
    this.#aborted = true;
    await this.#children.endAll();
  }

  /** Ends all processes and removes their files. */
  async close(): Promise<void> {
    await (this.#environment === undefined ? this.#children.endAll() : this.#environment.close());
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#result !== undefined) return;
    try {
      if (this.#aborted) throw new Error('aborted');
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#finish({ figures: {}, storeCalls: {}, voidReasons: [reason], warnings: [] });
    }
  }

  #finish(outcome: Outcome): void {
    const { load, round } = this.#options;
    this.#result = { load: load.name, variant: this.name, round, ...outcome };
  }
}

function createWorkload(load: Load, environment: Environment, pace: Pace): Workload {
  switch (load.kind) {
    case 'steady':
      return steadyWorkload(load, environment, pace);
    case 'idle':
      return idleWorkload(load, environment, pace);
    case 'connect':
      return connectWorkload(load, environment, pace);
    case 'resume':
      return resumeWorkload(load, environment);
  }
}

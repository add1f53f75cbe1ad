/**
 * One round of a load with several variants. Where nobody's quiet disturbs the others, all are started and warmed, one after the other, and measured in
 * short turns: what the machine's other guests do to one of them, they do to all. Memory and resumes are measured with one variant alone.
 */
import { sleep } from '@maru/service-kit/testing';
import { type Children, createChildren } from './children.ts';
import { connectCourse } from './courses/connect.ts';
import type { Course } from './courses/course.ts';
import { idleCourse } from './courses/idle.ts';
import { resumeCourse } from './courses/resume.ts';
import { steadyCourse } from './courses/steady.ts';
import type { RunResult } from './figures.ts';
import type { Load, Pace } from './loads.ts';
import { isMeasuredInTurns, slotsOf } from './schedule.ts';
import { type OpenSite, openSite, type RunSite } from './site.ts';
import type { Variant } from './variants/variants.ts';

export interface Round {
  load: Load;
  round: number;
  variants: Variant[];
  pace: Pace;
  onStep: (step: string) => void;
}

export interface RoundUnderWay {
  results: Promise<RunResult[]>;
  /** Ends all processes; the results then say so. */
  abort(): Promise<void>;
  /** Versions of the programs that are not packages, as they become known. */
  programs: Record<string, string>;
}

/** One variant in this round. */
interface Runner {
  variant: Variant;
  children: Children;
  site?: OpenSite;
  course?: Course;
  result?: RunResult;
}

export function startRound(given: Round): RoundUnderWay {
  const { load, round, variants, pace } = given;
  const runners: Runner[] = [];
  const programs: Record<string, string> = {};
  let aborted = false;

  /** Whatever fails is that variant's result; the others go on. */
  const attempt = async (runner: Runner, work: () => Promise<void>) => {
    if (runner.result !== undefined) return;
    try {
      if (aborted) throw new Error('broken off');
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      runner.result = { ...namesOf(runner), figures: {}, storeCalls: {}, voidReasons: [reason], warnings: [] };
    }
  };
  const namesOf = ({ variant }: Runner) => ({ load: load.name, variant: variant.name, round });

  const warm = (runner: Runner) =>
    attempt(runner, async () => {
      const { variant, children } = runner;
      given.onStep(`warming ${variant.name}`);
      runner.site = await openSite({ variant, load, children });
      Object.assign(programs, runner.site.programs);
      runner.course = courseOf(load, runner.site, pace);
      await runner.course.warm();
    });

  const measure = async (some: Runner[]) => {
    const names = some.map(({ variant }) => variant.name);
    given.onStep(`measuring ${names.join(', ')}${some.length > 1 ? ' in turns' : ''}`);
    const startMs = performance.now();
    for (const { turn, atMs } of slotsOf(load, some.length, pace)) {
      if (!aborted) await sleep(Math.max(0, startMs + atMs - performance.now()));
      const runner = some[turn] as Runner;
      await attempt(runner, async () => runner.course?.slice());
    }
    for (const runner of some)
      await attempt(runner, async () => {
        if (runner.course !== undefined) runner.result = { ...namesOf(runner), ...(await runner.course.end()) };
      });
  };

  const close = (some: Runner[]) =>
    Promise.all(some.map(({ site, children }) => (site === undefined ? children.endAll() : site.close())));

  const run = async (): Promise<RunResult[]> => {
    for (const group of isMeasuredInTurns(load) ? [variants] : variants.map((variant) => [variant])) {
      const some = group.map((variant): Runner => ({ variant, children: createChildren() }));
      runners.push(...some);
      try {
        for (const runner of some) await warm(runner);
        await measure(some);
      } finally {
        await close(some);
      }
    }
    return runners.flatMap(({ result }) => result ?? []);
  };

  return {
    results: run(),
    programs,
    async abort() {
      aborted = true;
      await Promise.all(runners.map(({ children }) => children.endAll()));
    },
  };
}

function courseOf(load: Load, site: RunSite, pace: Pace): Course {
  switch (load.kind) {
    case 'steady':
      return steadyCourse(load, site, pace);
    case 'idle':
      return idleCourse(load, site, pace);
    case 'connect':
      return connectCourse(load, site, pace);
    case 'resume':
      return resumeCourse(load, site);
  }
}

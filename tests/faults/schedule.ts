/** Which faults, in which order, for how long. Pure: the same seed gives the same schedule. */
import type { Fault } from './fault.ts';
import type { Random } from './random.ts';
import type { Planned } from './trial.ts';

const CALM_MS = [1_000, 6_000] as const;
const WEIGHT_DEFAULT = 2;

/** A fault that takes so much of a run leaves too little for others. */
const LONG_SHARE = 0.1;

/** Those that a run of that length includes: long ones where there is time, or where they were asked for. */
export function fitting<S>(
  faults: ReadonlyArray<Fault<S>>,
  run: { lengthMs: number; isNamed: (name: string) => boolean },
): ReadonlyArray<Fault<S>> {
  return faults.filter(
    ({ long, name, holdMs }) => !long || run.isNamed(name) || holdMs[0] <= run.lengthMs * LONG_SHARE,
  );
}

/** Faults without end: each once in some order, then by weight. The caller stops taking them. `maxHoldMs` cuts long ones short. */
export function* randomSchedule<S>(options: {
  faults: ReadonlyArray<Fault<S>>;
  random: Random;
  isOver: () => boolean;
  maxHoldMs?: number;
}): Generator<Planned<S>> {
  const { random, faults } = options;
  const bag = faults.flatMap((fault) => Array.from({ length: fault.weight ?? WEIGHT_DEFAULT }, () => fault));
  const once = [...faults];
  while (!options.isOver()) {
    const fault = once.splice(random.between(0, once.length - 1), 1)[0] ?? random.pick(bag);
    const [low, high] = fault.holdMs;
    // Short ones are the common ones: the square keeps a few that last.
    const holdMs = Math.round(low + (high - low) * random.next() ** 2);
    const calmMs = random.between(CALM_MS[0], CALM_MS[1]);
    yield { fault, holdMs: Math.min(holdMs, options.maxHoldMs ?? Number.POSITIVE_INFINITY), calmMs };
  }
}

/** Each named fault once, in that order. */
export function fixedSchedule<S>(
  faults: ReadonlyArray<Fault<S>>,
  steps: ReadonlyArray<readonly [name: string, holdMs: number]>,
  calmMs: number,
): Array<Planned<S>> {
  return steps.map(([name, holdMs]) => {
    const fault = faults.find((known) => known.name === name);
    if (fault === undefined) throw new Error(`there is no fault "${name}"`);
    return { fault, holdMs, calmMs };
  });
}

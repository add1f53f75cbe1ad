/** The order and duration of faults. Pure: the same seed gives the same schedule. */
import type { Fault } from './fault.ts';
import type { Random } from './random.ts';
import type { Planned } from './trial.ts';

const CALM_MS = [1_000, 6_000] as const;
const WEIGHT_DEFAULT = 2;

/** A fault that takes more of a run leaves too little time for others. */
const LONG_SHARE = 0.1;

/** The faults of a run: long ones only if there is time or if the run names them. */
export function fitting<S>(
  faults: ReadonlyArray<Fault<S>>,
  run: { lengthMs: number; isNamed: (name: string) => boolean },
): ReadonlyArray<Fault<S>> {
  return faults.filter(
    ({ long, name, holdMs }) => !long || run.isNamed(name) || holdMs[0] <= run.lengthMs * LONG_SHARE,
  );
}

/**
 * An endless schedule: each fault once in random order, then by weight. `maxHoldMs` limits
 * durations.
 */
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
    // The square makes short durations common and long ones rare.
    const holdMs = Math.round(low + (high - low) * random.next() ** 2);
    const calmMs = random.between(CALM_MS[0], CALM_MS[1]);
    yield { fault, holdMs: Math.min(holdMs, options.maxHoldMs ?? Number.POSITIVE_INFINITY), calmMs };
  }
}

/** The named faults, in this order. */
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

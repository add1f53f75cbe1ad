/**
 * Many random acts of few users in many rooms, while gateways are killed at random. At the end, the
 * counts of every user in every room must match the log.
 */
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import type { Random } from './random.ts';
import { createRandom } from './random.ts';
import { randomSchedule } from './schedule.ts';
import { runTrial, type TrialResult } from './trial.ts';

export interface ConversationsRun {
  environment: ClusterEnvironment;
  faults: ReadonlyArray<Fault<ClusterEnvironment>>;
  acts: number;
  clients: number;
  rooms: number;
  actsPerSecond: number;
  /** See `InjectionOptions`. */
  slackMs?: number;
  random: Random;
  seed: number;
  say: (line: string) => void;
  isEnding?: () => boolean;
}

/** Number of rooms that a user joins. All others are followed. */
const ROOMS_EACH = 4;
/** A slow machine may not reach its number of acts. The run still ends. */
const LENGTH_FACTOR_MAX = 4;
const SAID_EVERY = 10_000;

export async function runConversations(run: ConversationsRun): Promise<TrialResult> {
  const { acts, seed, say, isEnding = () => false } = run;
  const endAtMs = Date.now() + ((LENGTH_FACTOR_MAX * acts) / run.actsPerSecond) * 1_000;
  let done = 0;
  const isOver = () => isEnding() || done >= acts || Date.now() > endAtMs;
  const result = await runTrial({
    ...run,
    plan: randomSchedule({ faults: run.faults, random: createRandom(seed), isOver }),
    roomsEach: Math.min(ROOMS_EACH, run.rooms),
    followsAll: true,
    isEnding: isOver,
    onAct() {
      if (++done % SAID_EVERY === 0) say(`${done} acts`);
    },
  });
  if (done < acts && !isEnding()) result.violations.push(`only ${done} of ${acts} acts were done in time`);
  return result;
}

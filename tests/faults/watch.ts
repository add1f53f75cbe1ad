/**
 * Checks what clients saw during one fault: the time of the first error, the time of answers, the
 * `degraded` notices, and acknowledgements of messages that could not be stored. Pure: the caller
 * gives times.
 */
import type { StoreState } from './fault.ts';
import type { Answer } from './outbox.ts';
import type { Kind } from './work.ts';

/** The promised times, with slack for two shared cores. */
export const TIMES = { answerMs: 1_000, degradedMs: 2_000, slackMs: 500 } as const;

/**
 * Extra tolerance for runs inside `npm test`, where other stages use the same cores. The runs of
 * `npm run test:faults` check the promised times.
 */
export const SHARED_CORES_MS = 5_000;

const LATE_NAMED_MAX = 3;

export interface Watch {
  answered(answer: Answer): void;
  began(atMs: number): void;
  lifting(atMs: number): void;
  /**
   * `toleranceMs`: extra time for each promise, for example the longest event-loop delay of this
   * process.
   */
  finish(members: ReadonlyArray<WatchedMember>, toleranceMs?: number): WatchResult;
}

export interface WatchedMember {
  user: string;
  connectedAtMs: number;
  /** The newest `degraded` notice. */
  degradedAtMs: number | undefined;
  ready: boolean;
}

export interface WatchResult {
  firstErrorMs?: number;
  slowestAnswerMs?: number;
  degradedMs?: number;
  violations: string[];
}

/** A send whose connection ended does not count for answer times. */
const isAnswer = ({ outcome }: Answer) => outcome !== 'cut';
const isStored = ({ outcome }: Answer) => outcome === 'stored' || outcome === 'duplicate';

export function createWatch(store: StoreState): Watch {
  let beganAtMs = Number.POSITIVE_INFINITY;
  let liftingAtMs = Number.POSITIVE_INFINITY;
  const answers: Answer[] = [];
  return {
    answered(answer) {
      if (store === 'fine' || beganAtMs === Number.POSITIVE_INFINITY || !isAnswer(answer)) return;
      answers.push(answer);
    },
    began(atMs) {
      beganAtMs = atMs;
    },
    lifting(atMs) {
      liftingAtMs = atMs;
    },
    finish(members, toleranceMs = 0) {
      const slackMs = TIMES.slackMs + toleranceMs;
      const violations: string[] = [];
      const result: WatchResult = { violations };
      if (store === 'fine') return result;
      if (store === 'unaffected') return { ...result, ...watchUnaffected(answers, slackMs) };
      let firstErrorMs: number | undefined;
      let slowestAnswerMs: number | undefined;
      let falseAcknowledgements = 0;
      const late: string[] = [];
      // Some faults know the end of the outage only afterwards.
      for (const answer of answers) {
        const { sentAtMs, tookMs, outcome, member } = answer;
        const answeredAtMs = sentAtMs + tookMs;
        if (sentAtMs > liftingAtMs) continue;
        if (outcome === 'unavailable')
          firstErrorMs = Math.min(firstErrorMs ?? Number.POSITIVE_INFINITY, answeredAtMs - beganAtMs);
        slowestAnswerMs = Math.max(slowestAnswerMs ?? 0, tookMs);
        if (tookMs > TIMES.answerMs + slackMs && late.length < LATE_NAMED_MAX)
          late.push(`${member} waited ${tookMs} ms (${outcome})`);
        // A message that was sent after the store had gone cannot be stored before it is back.
        if (store === 'gone' && isStored(answer) && sentAtMs > beganAtMs && answeredAtMs < liftingAtMs)
          falseAcknowledgements++;
      }
      const lastedMs = liftingAtMs - beganAtMs;
      const long = (promisedMs: number) => lastedMs > promisedMs + slackMs;
      if (falseAcknowledgements > 0)
        violations.push(`I1: ${falseAcknowledgements} messages were acknowledged while the store was gone`);
      for (const one of late) violations.push(`deadline: ${one}`);
      if (slowestAnswerMs !== undefined) result.slowestAnswerMs = slowestAnswerMs;
      if (firstErrorMs !== undefined) result.firstErrorMs = Math.max(0, firstErrorMs);
      if (long(TIMES.answerMs) && !((firstErrorMs ?? Number.POSITIVE_INFINITY) <= TIMES.answerMs + slackMs))
        violations.push(`deadline: the first error came after ${firstErrorMs ?? 'no'} ms`);
      if (store === 'refusing' || !long(TIMES.degradedMs)) return result;
      // Members that were connected throughout must have been notified.
      const steady = members.filter(({ connectedAtMs, ready }) => ready && connectedAtMs < beganAtMs);
      for (const { user, degradedAtMs } of steady) {
        const afterMs = degradedAtMs === undefined ? Number.POSITIVE_INFINITY : degradedAtMs - beganAtMs;
        if (afterMs < 0 || afterMs === Number.POSITIVE_INFINITY) violations.push(`degraded: ${user} was not notified`);
        else {
          result.degradedMs = Math.max(result.degradedMs ?? 0, afterMs);
          if (afterMs > TIMES.degradedMs + slackMs)
            violations.push(`degraded: ${user} was notified after ${Math.round(afterMs)} ms`);
        }
      }
      return result;
    },
  };
}

/** Acts on older messages may need the archive. These never do. */
const HOT: readonly Kind[] = ['send', 'mention'];

/** The store must accept every message in time, whatever else fails. */
function watchUnaffected(answers: readonly Answer[], slackMs: number): WatchResult {
  const hot = answers.filter(({ kind }) => HOT.includes(kind));
  const bad = hot.filter(
    ({ tookMs, outcome }) => outcome === 'unavailable' || outcome === 'silent' || tookMs > TIMES.answerMs + slackMs,
  );
  const slowestAnswerMs = hot.reduce((slowest, { tookMs }) => Math.max(slowest, tookMs), 0);
  const violations = bad
    .slice(0, LATE_NAMED_MAX)
    .map(({ member, kind, tookMs, outcome }) => `deadline: ${kind} of ${member} took ${tookMs} ms (${outcome})`);
  return { ...(hot.length === 0 ? {} : { slowestAnswerMs }), violations };
}

/**
 * Asks all nodes a question and collects their answers, for information that only the nodes have,
 * such as who is connected where. Pub/sub may lose a question or an answer, so the result lists the
 * nodes that did not answer.
 */
import { randomBytes } from 'node:crypto';
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { answersChannel, questionsChannel } from '../keys.ts';
import { unavailable } from '../unavailable.ts';

/** How long a question waits for the answers of slow nodes. */
const WAIT_MS = 1_000;
/** Questions of one node in flight. */
const IN_FLIGHT_MAX = 16;
/** A longer answer is not sent, because a node answers with a page. */
const ANSWER_CHARS_MAX = 1_048_576;

/** Answers one kind of question about this node. `query` comes from another gateway. */
export type Answerer = (query: unknown) => unknown;

export interface Collected<A> {
  answers: Array<{ node: string; answer: A }>;
  /** Nodes that did not answer in time. */
  missing: string[];
}

export interface Questions {
  /** `nodes`: the nodes that should answer. Rejects `unavailable`. */
  ask<A>(kind: string, query: unknown, nodes: readonly string[]): Promise<Collected<A>>;
  start(): void;
}

interface Question {
  id: string;
  from: string;
  kind: string;
  query: unknown;
}

interface Answer {
  id: string;
  node: string;
  answer: unknown;
}

export function createQuestions(options: {
  store: RedisStore;
  subscriber: { want(channel: string, handler: (payload: string) => void): void };
  node: string;
  answerers: Readonly<Record<string, Answerer>>;
  logger: Logger;
}): Questions {
  const { store, subscriber, node, answerers, logger } = options;
  const waiting = new Map<string, (answer: Answer) => void>();

  const publish = (channel: string, message: unknown) =>
    store.at(channel, (redis) => redis.spublish(channel, JSON.stringify(message)));

  const onQuestion = (payload: string): void => {
    const { id, from, kind, query } = JSON.parse(payload) as Question;
    if (!Object.hasOwn(answerers, kind)) return;
    const answer: Answer = { id, node, answer: answerers[kind]?.(query) };
    if (JSON.stringify(answer).length > ANSWER_CHARS_MAX) return;
    publish(answersChannel(from), answer).catch((error: unknown) =>
      logger.debug({ reason: String(error) }, 'an answer to another node was lost'),
    );
  };

  const onAnswer = (payload: string): void => {
    const answer = JSON.parse(payload) as Answer;
    waiting.get(answer.id)?.(answer);
  };

  return {
    start() {
      subscriber.want(questionsChannel(), onQuestion);
      subscriber.want(answersChannel(node), onAnswer);
    },
    async ask<A>(kind: string, query: unknown, nodes: readonly string[]) {
      if (waiting.size >= IN_FLIGHT_MAX) throw unavailable(new Error('too many questions at once'));
      const id = randomBytes(8).toString('hex');
      const answers: Collected<A>['answers'] = [];
      const missing = new Set(nodes);
      const complete = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, WAIT_MS);
        waiting.set(id, ({ node: from, answer }) => {
          if (!missing.delete(from)) return;
          answers.push({ node: from, answer: answer as A });
          if (missing.size > 0) return;
          clearTimeout(timer);
          resolve();
        });
        if (nodes.length === 0) resolve();
      });
      try {
        await publish(questionsChannel(), { id, from: node, kind, query } satisfies Question);
        await complete;
      } catch (error) {
        throw unavailable(error);
      } finally {
        waiting.delete(id);
      }
      return { answers, missing: [...missing] };
    },
  };
}

/** Sends one message or act until it has an outcome, always with the same `clientMsgId`. */
import type { ClientRequests } from '@maru/protocol/events';
import type { Send } from '../checker/send-log.ts';
import type { ActRequest } from './conversation.ts';
import type { ResumingClient } from './resuming-client.ts';
import { pause, type Runtime } from './runtime.ts';

type Name = 'message:send' | ActRequest['event'];

export interface Delivery {
  client: ResumingClient;
  runtime: Runtime;
  event: Name;
  /** Includes room and `clientMsgId`. */
  payload: ClientRequests[Name][0];
  /** Receives the outcome. */
  send: Send;
  /** It is not sent again after this time. */
  untilMs: number;
  onFailure(code: string): void;
  /** Not called for messages that were sent again. */
  onFirstAnswer(tookMs: number): void;
}

const RETRY_MS = 250;

/** @returns the code of a permanent refusal */
export async function deliver(delivery: Delivery): Promise<string | undefined> {
  const { client, runtime, event, payload, send, untilMs } = delivery;
  for (let attempt = 1; ; attempt++) {
    const answer = await client.request(event, payload as never);
    if (answer.ok) {
      const { seq, duplicate } = answer.data;
      send.outcome = { state: 'stored', seq, duplicate };
      if (attempt === 1) delivery.onFirstAnswer(answer.tookMs);
      return undefined;
    }
    const { error } = answer;
    const isAct = event !== 'message:send';
    send.connection = undefined;
    // The message may have been deleted since. The caller verifies that.
    if (error.code !== 'gone' && !(isAct && error.code === 'not_found')) delivery.onFailure(error.code);
    if (!error.retryable) {
      send.outcome = { state: 'refused' };
      return error.code;
    }
    const waitMs = 'retryAfterMs' in error ? (error.retryAfterMs ?? RETRY_MS) : RETRY_MS;
    if (runtime.now() + waitMs >= untilMs) return undefined;
    await pause(runtime, waitMs);
    if (!(await client.ready())) return undefined;
  }
}

/**
 * Checks received payloads against the schemas, for tests. Each function throws a TypeError that
 * names the difference.
 */
import { z } from 'zod';
import { errorBody, problem } from './answer-shapes.ts';
import { answerSchemas, type HttpOperation, httpAnswerSchemas, serverEventSchemas } from './answers.ts';

const refusal = z.strictObject({ ok: z.literal(false), error: errorBody });

/** A whole acknowledgement: `{ok, data}` or `{ok, error}`. An unknown event must be refused. */
export function assertAnswer(event: string, value: unknown): void {
  const data = has(answerSchemas, event) ? answerSchemas[event] : undefined;
  const isRefused = data === undefined || (value as { ok?: unknown } | null)?.ok === false;
  hold(`the acknowledgement of ${event}`, isRefused ? refusal : z.strictObject({ ok: z.literal(true), data }), value);
}

/** The payload of a server event. */
export function assertServerEvent(event: string, payload: unknown): void {
  if (!has(serverEventSchemas, event)) throw new TypeError(`the contract has no server event ${event}`);
  hold(`the event ${event}`, serverEventSchemas[event], payload);
}

/** The body of an HTTP answer, by its operation and status. */
export function assertHttpAnswer(operation: HttpOperation, status: number, body: unknown): void {
  hold(`${operation} ${status}`, status < 400 ? httpAnswerSchemas[operation] : problem, body);
}

const has = <T extends object>(table: T, name: PropertyKey): name is keyof T => Object.hasOwn(table, name);

function hold(what: string, schema: z.ZodType, value: unknown): void {
  const result = schema.safeParse(value);
  if (!result.success) throw new TypeError(`${what} breaks the contract:\n${z.prettifyError(result.error)}`);
}

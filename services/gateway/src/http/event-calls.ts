/**
 * HTTP calls that correspond to client events (`EVENT_CALLS`). They use the schemas and handlers of
 * the events, so a call has the same rights and the same answer.
 */
import { MaruError, parsePayload, type RequestName, requestSchemas } from '@maru/protocol';
import { type CallEvent, EVENT_CALLS, type EventCall, pathMembers } from '@maru/protocol/calls';
import type { Request, Response } from 'express';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { Identity } from '../identity/tokens.ts';
import { eventsOf } from '../limits/answer-cost.ts';
import type { Caller, CallHandlers } from '../requests/handler.ts';
import { encodeAnswer, type Reply } from '../rooms/reply.ts';
import { WorkQueues } from '../rooms/work-queues.ts';
import { type Callers, type Route, signedIn } from './calls.ts';

export interface EventCallDeps extends Callers {
  handlers: CallHandlers;
  /** The token was revoked after it was accepted. */
  isRevoked: (identity: Identity) => boolean;
  /** Closed after a pause of the process. */
  gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>;
}

/** Numeric members of paths and queries, where everything is text. Other members stay text. */
const NUMBERS: ReadonlySet<string> = new Set(['seq', 'before', 'after', 'around', 'at', 'thread', 'limit']);
const DIGITS = /^\d{1,16}$/;

type Payload = Record<string, unknown>;

export const eventRoutes = (deps: EventCallDeps): Route[] =>
  Object.values(EVENT_CALLS).map((call: EventCall) => ({
    method: call.method,
    path: call.path,
    handler: signedIn(deps)(async (request, response, identity) => {
      const { event, members } = eventOf(call, request);
      const caller = callerOf(deps, identity);
      const reply = await answerOf(deps.handlers, event, caller, { ...members, ...requiredOf(event, call, request) });
      // As on connections: a user who was revoked while the process was paused gets no answer.
      if (!deps.gate.isOpen()) {
        await deps.gate.whenOpen();
        if (caller.revoked) throw new MaruError('unauthenticated', 'the token was revoked');
      }
      send(response, call, reply);
    }),
  }));

/** The event of the call. `view` in the query can select one. */
function eventOf(call: EventCall, request: Request): { event: CallEvent; members: Payload } {
  const hasBody = call.method !== 'GET' && call.method !== 'DELETE';
  if (hasBody) return { event: call.event, members: bodyOf(request) };
  const { view, ...members } = valuesOf(request.query);
  if (view === undefined || call.views === undefined) return { event: call.event, members };
  const event = Object.hasOwn(call.views, String(view)) ? call.views[String(view)] : undefined;
  if (event === undefined) throw new MaruError('invalid', `view: is ${Object.keys(call.views).join(' or ')}`);
  return { event, members };
}

function bodyOf(request: Request): Payload {
  const body: unknown = request.body ?? {};
  if (typeof body !== 'object' || Array.isArray(body)) throw new MaruError('invalid', 'the body is not a JSON object');
  return body as Payload;
}

/** Members from the path, the method and the header. The body and query cannot replace them. */
function requiredOf(event: CallEvent, call: EventCall, request: Request): Payload {
  const members = Object.fromEntries(pathMembers(call.path).map((name) => [name, request.params[name]]));
  const key = request.get('Idempotency-Key');
  const { shape } = requestSchemas[event];
  if (key === undefined && 'clientMsgId' in shape && !shape.clientMsgId.safeParse(undefined).success)
    throw new MaruError('invalid', 'Idempotency-Key: the header is required');
  return { ...valuesOf(members), ...call.fixed, clientMsgId: key };
}

function valuesOf(texts: Record<string, unknown>): Payload {
  const values = Object.entries(texts).map(([name, value]) => {
    if (NUMBERS.has(name) && typeof value === 'string' && DIGITS.test(value)) return [name, Number(value)];
    return [name, name === 'pinned' && value === 'true' ? true : value];
  });
  return Object.fromEntries(values);
}

const NO_ROOMS: Caller['subscriptions'] = new Map();

function callerOf({ userLimit, isRevoked }: EventCallDeps, identity: Identity): Caller {
  const { user, roles } = identity;
  const chargeEvents = (count: number) => userLimit.charge(user.id, count);
  return {
    user,
    roles,
    get revoked() {
      return isRevoked(identity);
    },
    subscriptions: NO_ROOMS,
    queues: new WorkQueues(),
    chargeEvents,
    charge: (bytes) => chargeEvents(eventsOf(bytes)),
  };
}

function answerOf<N extends CallEvent>(
  handlers: CallHandlers,
  event: N,
  caller: Caller,
  payload: Payload,
): Promise<Reply<unknown>> {
  const handle = handlers[event] as (caller: Caller, request: unknown) => Promise<Reply<unknown>>;
  return handle(caller, parsePayload(requestSchemas[event as RequestName], payload));
}

function send(response: Response, call: EventCall, { data, afterwards }: Reply<unknown>): void {
  const isDuplicate = (data as { duplicate?: boolean }).duplicate === true;
  response
    .status(isDuplicate ? 200 : (call.status ?? 200))
    .type('json')
    .send(encodeAnswer(data));
  afterwards?.();
}

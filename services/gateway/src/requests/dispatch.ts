/** From an event of a client to its answer: one table, no socket. */
import {
  type ClientEventName,
  MaruError,
  parsePayload,
  type RequestName,
  type RequestOf,
  requestSchemas,
} from '@maru/protocol';
import { TOO_DEEP } from '../edge/packet-parser.ts';
import type { Reply } from '../rooms/subscriptions.ts';
import type { Session } from '../sessions/session.ts';

export type Handlers = {
  [N in RequestName]: (session: Session, request: RequestOf<N>) => Promise<Reply<unknown>>;
};

export const isRequestName = (event: unknown): event is ClientEventName =>
  typeof event === 'string' && Object.hasOwn(requestSchemas, event);

/** Validates; returns the work that is to be done. Throws MaruError for everything that the caller may be told. */
export function prepareRequest(
  handlers: Handlers,
  session: Session,
  event: unknown,
  payloads: unknown[],
): () => Promise<Reply<unknown>> {
  if (!isRequestName(event)) throw new MaruError('invalid', 'there is no such event');
  const [payload] = payloads;
  if (payload === TOO_DEEP) throw new MaruError('invalid', 'the payload is nested too deeply');
  if (payloads.length !== 1)
    throw new MaruError('invalid', 'an event takes one object and an acknowledgement callback');
  return prepare(handlers, session, event, payload);
}

function prepare<N extends RequestName>(handlers: Handlers, session: Session, event: N, payload: unknown) {
  const request = parsePayload(requestSchemas[event], payload) as RequestOf<N>;
  return () => handlers[event](session, request);
}

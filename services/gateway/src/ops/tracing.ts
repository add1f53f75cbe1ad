/** Traces messages, from the request to the delivery on every node. */
import type { Subscriber } from '../delivery/subscriber.ts';
import type { AnyRequest } from '../log/append-calls.ts';
import type { RoomLog } from '../log/room-log.ts';

/** Each function returns its argument, wrapped with tracing or unchanged. */
/** The use case of sending a message. `Request` holds at least the fields that name a trace. */
type Send<User, Request, Sender, Data> = (user: User, request: Request, sender: Sender) => Promise<Data>;

export interface Tracing {
  sendMessage<
    User extends { id: string },
    Request extends { room: string; clientMsgId: string },
    Sender,
    Data extends { seq: number; duplicate: boolean },
  >(send: Send<User, Request, Sender, Data>): Send<User, Request, Sender, Data>;
  log(log: RoomLog): RoomLog;
  subscriber(subscriber: Subscriber): Subscriber;
  /** Called for appends that are about to share a round trip. Undefined while tracing is off. */
  onBatch: ((appends: ReadonlyArray<{ request: AnyRequest }>) => void) | undefined;
  /** Sends the remaining spans, within a second. */
  close(): Promise<void>;
}

export const NO_TRACING: Tracing = {
  sendMessage: (send) => send,
  log: (log) => log,
  subscriber: (subscriber) => subscriber,
  onBatch: undefined,
  async close() {},
};

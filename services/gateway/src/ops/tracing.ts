/** Traces of messages, from the request to the delivery on every node: what is wrapped, and what stands in its place while they are off. */
import type { Subscriber } from '../delivery/subscriber.ts';
import type { AppendRequest, RoomLog } from '../log/room-log.ts';
import type { SendMessage } from '../requests/send-message.ts';

/** Each function gives back the part that it was given, with tracing around it or as it is. */
export interface Tracing {
  sendMessage(send: SendMessage): SendMessage;
  log(log: RoomLog): RoomLog;
  subscriber(subscriber: Subscriber): Subscriber;
  /** These appends are about to share a round trip. */
  onBatch(appends: ReadonlyArray<{ request: AppendRequest }>): void;
  /** Sends what is left, within a second. */
  close(): Promise<void>;
}

export const NO_TRACING: Tracing = {
  sendMessage: (send) => send,
  log: (log) => log,
  subscriber: (subscriber) => subscriber,
  onBatch() {},
  async close() {},
};

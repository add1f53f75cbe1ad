/** Subscriptions to the channels of watched rooms. One operation at a time for each room. */
import { type DiffMessage, parseDiffMessage, presenceDiffChannel } from '@maru/presence-api';
import type { Logger } from '@maru/service-kit';
import type { PresenceSubscriber } from './presence-port.ts';

export interface Channels {
  /** Subscribes or unsubscribes as `isWanted` says. Never rejects: the next audit retries. */
  reconcile(room: string): Promise<void>;
  /** The room's channel is subscribed. */
  has(room: string): boolean;
}

export function createChannels(options: {
  subscriber: PresenceSubscriber;
  logger: Logger;
  isWanted: (room: string) => boolean;
  onDiff: (room: string, diff: DiffMessage) => void;
  /** A payload is not a difference of its room. */
  onBadPayload: () => void;
}): Channels {
  const { subscriber, logger, isWanted, onDiff, onBadPayload } = options;
  const subscribed = new Set<string>();
  const reconciling = new Map<string, Promise<void>>();
  let failures = 0;

  const onPayload = (room: string, payload: string) => {
    if (!isWanted(room)) return;
    const diff = parseDiffMessage(room, payload);
    if (diff === undefined) onBadPayload();
    else onDiff(room, diff);
  };

  const work = async (room: string): Promise<void> => {
    const channel = presenceDiffChannel(room);
    try {
      // The wish may change while an operation is in flight.
      while (isWanted(room) !== subscribed.has(room)) {
        if (isWanted(room)) {
          await subscriber.subscribe(channel, (payload) => onPayload(room, payload));
          subscribed.add(room);
        } else {
          subscribed.delete(room);
          await subscriber.unsubscribe(channel);
        }
      }
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === 1) logger.warn({ err: error }, 'a presence channel could not be subscribed; retrying');
    }
  };

  return {
    has: (room) => subscribed.has(room),
    reconcile(room) {
      const running = reconciling.get(room);
      if (running !== undefined) return running;
      const started = work(room).finally(() => reconciling.delete(room));
      reconciling.set(room, started);
      return started;
    },
  };
}

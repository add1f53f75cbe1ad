/** The parts of a connection that joining, leaving and resuming need. */
import type { ServerEvents, UserRef } from '@maru/protocol';
import type { Member } from '../delivery/member.ts';
import type { Subscription } from './subscription.ts';
import type { WorkQueues } from './work-queues.ts';

export interface RoomSession extends Member {
  readonly id: string;
  readonly user: UserRef;
  /** Joined rooms. */
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly hasMaxRooms: boolean;
  readonly queues: WorkQueues;
  /** Takes the additional cost of a large answer. */
  charge(bytes: number): void;
  subscribe(room: string, subscription: Subscription): void;
  /** False if the room was not joined. */
  unsubscribe(room: string): boolean;
  receiveEphemeral(room: string): void;
  emit<E extends keyof ServerEvents>(event: E, ...payload: Parameters<ServerEvents[E]>): void;
}

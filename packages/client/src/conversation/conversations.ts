/** The models of all rooms of one client, and of its list of rooms. */
import type { ChatClient } from '../chat-client.ts';
import { type Scheduler, systemScheduler } from '../scheduler.ts';
import type { Conversations } from './types.ts';

export interface ConversationsOptions {
  client: ChatClient;
  scheduler?: Scheduler;
}

export function createConversations({ client, scheduler = systemScheduler }: ConversationsOptions): Conversations {
  throw new Error(`not yet: ${client.connection.state} ${scheduler.now()}`);
}

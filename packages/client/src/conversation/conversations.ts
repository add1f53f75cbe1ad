/** The models of all rooms of one client, and of its list of rooms. */
import type { ChatClient } from '../chat-client.ts';
import type { KeptText } from '../kept.ts';
import { type ClientLogger, silentLogger } from '../logger.ts';
import { type Scheduler, systemScheduler } from '../scheduler.ts';
import { RoomConversation } from './conversation.ts';
import { Drafts } from './drafts.ts';
import { ClientRooms } from './my-rooms.ts';
import type { Conversations } from './types.ts';

export interface ConversationsOptions {
  client: ChatClient;
  /** Keeps drafts across reloads. Without it, they last as long as the page. */
  drafts?: DraftStorage;
  logger?: ClientLogger;
  scheduler?: Scheduler;
}

/** Storage of drafts, at most 512 KiB. Beyond that, the oldest drafts are dropped. */
export type DraftStorage = KeptText;

export function createConversations(options: ConversationsOptions): Conversations {
  const { client, logger = silentLogger, scheduler = systemScheduler } = options;
  const models = new Map<string, RoomConversation>();
  const myRooms = new ClientRooms(client, scheduler);
  const drafts = new Drafts({ place: options.drafts ?? null, scheduler, logger });
  const stopKeeping = client.on('act', ({ room, act, state }) => {
    if (state.kind === 'failed') drafts.keepRefused(room, act, state.error);
  });

  const newModel = (room: string): RoomConversation => {
    const model = new RoomConversation({ client, room, drafts, scheduler, onClose: () => void models.delete(room) });
    models.set(room, model);
    return model;
  };

  return {
    myRooms,
    drafts: drafts.rooms,
    open: (room) => (models.get(room) ?? newModel(room)).hold(),
    async openDirect(user) {
      const { room } = await client.request('room:create', { visibility: 'direct', user });
      myRooms.refresh();
      return { room };
    },
    close() {
      for (const model of [...models.values()]) model.end();
      myRooms.close();
      stopKeeping();
      drafts.close();
    },
  };
}

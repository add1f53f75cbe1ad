/** The models of all rooms of one client, and of its list of rooms. */
import type { ChatClient } from '../chat-client.ts';
import { type Scheduler, systemScheduler } from '../scheduler.ts';
import { RoomConversation } from './conversation.ts';
import { ClientRooms } from './my-rooms.ts';
import type { Conversations } from './types.ts';

export interface ConversationsOptions {
  client: ChatClient;
  scheduler?: Scheduler;
}

export function createConversations({ client, scheduler = systemScheduler }: ConversationsOptions): Conversations {
  const models = new Map<string, RoomConversation>();
  const myRooms = new ClientRooms(client);

  const newModel = (room: string): RoomConversation => {
    const model = new RoomConversation({ client, room, scheduler, onClose: () => void models.delete(room) });
    models.set(room, model);
    return model;
  };

  return {
    myRooms,
    open: (room) => (models.get(room) ?? newModel(room)).hold(),
    async openDirect(user) {
      const { room } = await client.request('room:create', { visibility: 'direct', user });
      myRooms.refresh();
      return { room };
    },
    close() {
      for (const model of [...models.values()]) model.end();
      myRooms.close();
    },
  };
}

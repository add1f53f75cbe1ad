/** Rooms of a fake server, and clients with models in them, for one test file. */
import assert from 'node:assert/strict';
import { after, afterEach } from 'node:test';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClient, createChatClient } from '../../chat-client.ts';
import { createConversations } from '../conversations.ts';
import type { Conversations } from '../types.ts';

export const BOT = { id: 'bot', name: 'Bot' };

export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Await it at the top of the file. Each test starts without clients and faults. */
export async function fakeRooms() {
  const open: Array<{ client: ChatClient; conversations: Conversations }> = [];
  const cluster = await startFakeServer();
  let rooms = 0;
  afterEach(() => {
    for (const { client, conversations } of open.splice(0)) {
      conversations.close();
      client.close();
    }
    Object.assign(cluster.faults, { resumeEntriesMax: 1_000, archivedBelow: 0 });
    cluster.onRequest = null;
  });
  after(() => cluster.close());

  function start(name: string) {
    const client = createChatClient({ url: cluster.url, getToken: () => name });
    const conversations = createConversations({ client });
    open.push({ client, conversations });
    client.connect();
    return { client, conversations };
  }

  return {
    cluster,
    start,
    newRoom: () => `talk-${++rooms}`,
    /** Joins a room with a model, and waits for its first entries. */
    async enter(name: string, room: string) {
      const { client, conversations } = start(name);
      const conversation = conversations.open(room);
      client.join(room);
      await until('the room is there', () => conversation.get().isReady && conversation.get().read !== null);
      return { client, conversations, conversation };
    },
  };
}

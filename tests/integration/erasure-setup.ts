/** Two gateways, and rooms in which a message is edited, answered, pinned and deleted. */
import assert from 'node:assert/strict';
import type { ClientEventName, Entry } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { keysWith } from './store-search.ts';

export const KINDS = ['public', 'private', 'direct'] as const;
export type Kind = (typeof KINDS)[number];

/** A room with a message that was the target of every act. The author is on the first node. */
export interface Scene {
  room: string;
  epoch: string;
  authorId: string;
  readerId: string;
  author: TestClient;
  reader: TestClient;
  seq: number;
  /** The requests that stored the texts. */
  stored: Array<{ event: ClientEventName; payload: Record<string, unknown> }>;
  /** Texts that must not exist anywhere. */
  texts: string[];
}

export type ErasureRig = Awaited<ReturnType<typeof startErasureRig>>;

export async function startErasureRig() {
  const site: Gateways = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
  const open: TestClient[] = [];
  const nodes = site.gateways as [ServiceProcess, ServiceProcess];
  const enter = async (sub: string, node: number, resume?: unknown): Promise<TestClient> => {
    const options = { token: tokenOf(sub), ...(resume === undefined ? {} : { resume }) };
    const client = await connect((nodes[node] as ServiceProcess).url, options);
    open.push(client);
    return client;
  };

  async function roomOf(kind: Kind, author: TestClient, readerId: string): Promise<string> {
    const wanted = {
      public: { room: newRoom('erase') },
      private: { visibility: 'private' as const },
      direct: { visibility: 'direct' as const, user: readerId },
    }[kind];
    const { room } = await author.ok('room:create', wanted);
    if (kind === 'private') await author.ok('room:invite', { room, user: readerId });
    return room;
  }

  return {
    nodes,
    enter,
    search: (texts: readonly string[]) => keysWith(site.redis.url, texts),

    async stage(kind: Kind): Promise<Scene> {
      const [authorId, readerId] = [`author-${newId()}`, `reader-${newId()}`];
      const [author, reader] = [await enter(authorId, 0), await enter(readerId, 1)];
      const room = await roomOf(kind, author, readerId);
      const { epoch } = await author.ok('room:join', { room });
      await reader.ok('room:join', { room });
      for (let count = 0; count < 3; count++)
        await reader.ok('message:send', { room, clientMsgId: newId(), text: `before ${count}` });

      const mark = newId();
      const texts = ['first', 'second', 'third'].map((what) => `${what}-${mark}`);
      const stored: Scene['stored'] = [];
      const store = async (event: 'message:send' | 'message:edit', payload: Record<string, unknown>) => {
        stored.push({ event, payload });
        return author.ok(event, payload as never);
      };
      const mentions = [readerId];
      const sent = { room, clientMsgId: newId(), text: `${texts[0]} <"\\é`, mentions };
      const { seq } = await store('message:send', sent);
      const about = (more: object) => ({ room, seq, clientMsgId: newId(), ...more }) as never;
      await reader.ok('message:send', { room, clientMsgId: newId(), text: 'a reply', thread: seq });
      await reader.ok('message:react', about({ emoji: '👍🏽', active: true }));
      await author.ok('message:react', about({ emoji: '👍🏽', active: true }));
      await author.ok('message:pin', about({ active: true }));
      await store('message:edit', about({ text: texts[1] }));
      await reader.ok('message:send', { room, clientMsgId: newId(), text: 'a later message' });
      await store('message:edit', about({ text: texts[2], mentions }));
      await author.ok('message:send', { room, clientMsgId: newId(), text: 'another reply', thread: seq });
      await reader.ok('room:read', { room, seq: 1 });
      return { room, epoch, authorId, readerId, author, reader, seq, stored, texts };
    },

    /** Everything about the room that a client on this node can get. */
    async everything(scene: Scene, user: string, node: number): Promise<unknown[]> {
      const { room, seq } = scene;
      const client = await enter(user, node);
      const got: unknown[] = [];
      const { head } = await client.ok('history:read', { room, limit: 1 });
      for (const page of [{}, { after: 0 }, { before: head + 1 }, { after: seq - 1 }, { before: seq + 1 }])
        got.push(await client.ok('history:read', { room, limit: 200, ...page }));
      for (const choice of [{}, { thread: seq }, { pinned: true as const }])
        for (const page of [{}, { after: 0 }, { before: head + 1 }, { around: seq }])
          got.push(await client.ok('messages:read', { room, limit: 200, ...choice, ...page }));
      got.push(await client.ok('rooms:mine', {}), await client.ok('room:join', { room, limit: 200 }));
      for (let since = 0; since <= head; since++)
        got.push(await client.ok('room:join', { room, since: { epoch: scene.epoch, seq: since } }));
      for (const query of ['limit=200', `after=${seq - 1}`, `before=${seq + 1}`, 'view=messages&limit=200']) {
        const url = (nodes[node] as ServiceProcess).url;
        const answer = await call(url, `/rooms/${room}/messages?${query}`, { token: tokenOf(user) });
        assert.equal(answer.status, 200, `${query}: ${JSON.stringify(answer.body)}`);
        got.push(answer.body);
      }
      for (let since = 0; since <= head; since++) {
        const resumed = await enter(user, node, { [room]: { epoch: scene.epoch, seq: since } });
        assert.equal((resumed.session.rooms[room] as { recovered?: boolean }).recovered, true);
        got.push(await resumed.until(room, head - since));
        got.push(resumed.received);
        resumed.close();
      }
      got.push(client.received);
      client.close();
      return got;
    },

    async stop() {
      for (const client of open) client.close();
      await site.stop();
    },
  };
}

/** The message and its edits, among entries in their original form. */
export const erasable = (entries: readonly Entry[], seq: number): Entry[] =>
  entries.filter(
    (entry) =>
      entry.seq === seq || (entry.type === 'message.edit' && (entry.data as { seq: number } | undefined)?.seq === seq),
  );

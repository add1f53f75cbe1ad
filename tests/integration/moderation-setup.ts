/** Two gateways, and rooms with an owner on the first one and a member on the second. */
import type { ClientEventName, RoomEvent } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { newId, newRoom } from '../support/tokens.ts';

export const message = (room: string, text = 'x') => ({ room, clientMsgId: newId(), text });

export const removals = (client: TestClient) =>
  client.payloads<RoomEvent>('room:event').filter(({ type }) => type === 'removed');

/** Returns `ok` or the error code. */
export async function codeOf(client: TestClient, event: string, payload: object): Promise<string> {
  const ack = (await client.request(event as ClientEventName, payload)) as { ok: boolean; error?: { code: string } };
  return ack.ok ? 'ok' : (ack.error?.code ?? 'none');
}

export type ModerationRig = Awaited<ReturnType<typeof startModerationRig>>;

export async function startModerationRig() {
  const { redis, gateways, presence, stop } = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
  const open: TestClient[] = [];
  const urlOf = (index: number): string => gateways[index]?.url as string;

  const clientOf = async (sub: string, index = 0, more: { resume?: unknown } = {}): Promise<TestClient> => {
    const client = await connect(urlOf(index), { token: tokenOf(sub), ...more });
    open.push(client);
    return client;
  };

  const people = async () => {
    const [ownerId, memberId] = [`owner-${newId()}`, `member-${newId()}`];
    const [owner, member] = await Promise.all([clientOf(ownerId), clientOf(memberId, 1)]);
    return { owner, member, ownerId, memberId };
  };

  return {
    redisUrl: redis.url,
    presence,
    urlOf,
    clientOf,
    async publicRoom() {
      const all = await people();
      const room = newRoom('mod');
      await all.owner.ok('room:create', { room, title: 'Tea' });
      for (const client of [all.owner, all.member]) await client.ok('room:join', { room });
      return { room, ...all };
    },
    async privateRoom() {
      const all = await people();
      const { room } = await all.owner.ok('room:create', { visibility: 'private' });
      await all.owner.ok('room:invite', { room, user: all.memberId });
      for (const client of [all.owner, all.member]) await client.ok('room:join', { room });
      return { room, ...all };
    },
    async stop() {
      for (const client of open) client.close();
      await stop();
    },
  };
}

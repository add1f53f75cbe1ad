/**
 * The abusive users of the office, in a separate process: floods of messages, joins, typing and
 * connections, as fast as the cluster accepts them.
 */
import { randomUUID } from 'node:crypto';
import { sleep } from '../support/poll.ts';
import { WireClient } from './wire-client.ts';

export interface AbusePlan {
  endpoint: string;
  /** One for each abuser. */
  tokens: readonly string[];
  /** Rooms of quiet users. */
  rooms: readonly string[];
  lengthMs: number;
}

export interface AbuseFigures {
  events: number;
  refused: number;
  stored: number;
  connections: number;
  /** Connections that the abuser did not end. */
  cut: number;
}

const KINDS = ['message', 'join', 'typing', 'reconnect'] as const;
/** An abuser writes as long as its connection accepts more. */
const QUEUED_BYTES_MAX = 65_536;
const PER_TURN = 20;
const TEXT = 'x'.repeat(200);

const figures: AbuseFigures = { events: 0, refused: 0, stored: 0, connections: 0, cut: 0 };

async function abuse(plan: AbusePlan, index: number, endAtMs: number): Promise<void> {
  const { endpoint, tokens, rooms } = plan;
  const kind = KINDS[index % KINDS.length] as (typeof KINDS)[number];
  const room = rooms[index % rooms.length] as string;
  const token = tokens[index] as string;
  while (Date.now() < endAtMs) {
    let ended = false;
    const client = new WireClient(endpoint, {
      token,
      onEnd: () => {
        ended = true;
      },
    });
    figures.connections++;
    const isIn = await client.ready.then(
      () => true,
      () => false,
    );
    if (!isIn) {
      figures.cut++;
      await sleep(1);
      continue;
    }
    if (kind === 'reconnect') {
      client.cut();
      continue;
    }
    void client.request('room:join', { room, limit: 1 });
    while (!ended && Date.now() < endAtMs) {
      for (let count = 0; count < PER_TURN && client.queuedBytes < QUEUED_BYTES_MAX; count++) flood(client, kind, room);
      // Yields to answers and other abusers.
      await sleep(1);
    }
    if (ended) figures.cut++;
    else client.cut();
  }
}

function flood(client: WireClient, kind: 'message' | 'join' | 'typing', room: string): void {
  figures.events++;
  const count = (reply: 'cut' | { ok: boolean }) => {
    if (reply === 'cut') return;
    if (!reply.ok) figures.refused++;
    else if (kind === 'message') figures.stored++;
  };
  if (kind === 'message')
    void client.request('message:send', { room, clientMsgId: randomUUID(), text: TEXT }).then(count);
  else if (kind === 'join') void client.request('room:join', { room, limit: 200 }).then(count);
  else client.emit('typing', { room, active: true });
}

process.on('message', (plan: AbusePlan) => {
  const endAtMs = Date.now() + plan.lengthMs;
  void Promise.all(plan.tokens.map((_, index) => abuse(plan, index, endAtMs))).then(() => {
    const { user, system } = process.cpuUsage();
    process.send?.({ ...figures, cpuS: (user + system) / 1_000_000 });
  });
});
process.on('disconnect', () => process.exit(0));

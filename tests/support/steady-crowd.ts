/** Clients that send messages at a steady rate, for measurements. */

import { connect, type TestClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import { mintToken } from './tokens.ts';

export interface SteadyCrowd {
  rooms: readonly string[];
  clients: readonly TestClient[];
  /** Messages that clients received since the last call. */
  takeDelivered(): number;
  /** Milliseconds until each acknowledgement since the last call, and the refusals by code. */
  takeAnswers(): { tookMs: number[]; refused: Map<string, number> };
  stop(): void;
}

const TICK_MS = 20;
const TOKEN_LIFETIME_S = 86_400;
/** Concurrent connection attempts. */
const ARRIVALS = 20;

export async function startCrowd(options: {
  cluster: Pick<Cluster, 'endpoint' | 'jwtSecret'>;
  clients: number;
  clientsEach: number;
  perSecond: number;
  /** A message of typical length. */
  textOf?: (index: number) => string;
}): Promise<SteadyCrowd> {
  const { cluster, perSecond, textOf = (index) => `message ${index}: ${'all work and no play '.repeat(4)}` } = options;
  const rooms = Array.from(
    { length: Math.ceil(options.clients / options.clientsEach) },
    (_, index) => `steady-${index}`,
  );
  const clients: TestClient[] = [];
  const roomOf = (index: number) => rooms[Math.floor(index / options.clientsEach)] ?? '';
  while (clients.length < options.clients) {
    const next = Array.from({ length: Math.min(ARRIVALS, options.clients - clients.length) }, (_, index) => index);
    const from = clients.length;
    clients.push(
      ...(await Promise.all(next.map((index) => join(cluster, `steady-${from + index}`, roomOf(from + index))))),
    );
  }
  let [delivered, sent, due, tookMs, refused] = [0, 0, 0, [] as number[], new Map<string, number>()];
  const send = async () => {
    const index = sent++;
    const at = (index * 7) % clients.length;
    const startedAt = performance.now();
    const payload = { room: roomOf(at), clientMsgId: `steady-${index}`, text: textOf(index) };
    const ack = await clients[at]?.request('message:send', payload).catch(() => undefined);
    if (ack?.ok) tookMs.push(performance.now() - startedAt);
    else refused.set(ack?.error.code ?? 'silent', (refused.get(ack?.error.code ?? 'silent') ?? 0) + 1);
  };
  let tickedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    due += ((now - tickedAt) / 1_000) * perSecond;
    tickedAt = now;
    for (; due >= 1; due--) void send();
  }, TICK_MS);
  const collector = setInterval(() => {
    for (const client of clients) delivered += forget(client);
  }, 1_000);
  return {
    rooms,
    clients,
    takeDelivered() {
      for (const client of clients) delivered += forget(client);
      const taken = delivered;
      delivered = 0;
      return taken;
    },
    takeAnswers() {
      const taken = { tookMs, refused };
      tookMs = [];
      refused = new Map();
      return taken;
    },
    stop() {
      clearInterval(timer);
      clearInterval(collector);
      for (const client of clients) client.close();
    },
  };
}

async function join({ endpoint, jwtSecret }: Pick<Cluster, 'endpoint' | 'jwtSecret'>, user: string, room: string) {
  const exp = Math.floor(Date.now() / 1_000) + TOKEN_LIFETIME_S;
  const client = await connect(endpoint, { token: mintToken(jwtSecret, { sub: user, name: user, exp }) });
  await client.patient('room:join', { room });
  return client;
}

/** A long measurement must not keep every message. @returns their number */
function forget(client: TestClient): number {
  const count = client.received.filter(({ name }) => name === 'message').length;
  // The session stays, because the client reads it from here.
  client.received.splice(0, client.received.length, ...client.received.filter(({ name }) => name === 'session'));
  for (const room of Object.keys(client.positions())) client.entries(room).splice(0, client.entries(room).length - 1);
  return count;
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

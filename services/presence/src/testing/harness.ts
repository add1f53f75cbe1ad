/** Helpers of the tests: the real service with short times, and a gateway that only reports. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PresenceSnapshot, Status } from '@maru/protocol';
import { createLogger } from '@maru/service-kit';
import { Registry } from 'prom-client';
import { createPresence, type Presence } from '../presence.ts';
import type { PresenceSettings } from '../settings.ts';

export const SECRET = 'a-secret-for-tests-only-0123456789abcdef';

/** Short enough for tests, in the same proportions as the defaults. */
export const SHORT = { leaveGraceMs: 400, diffMs: 50, leaseMs: 1_500, sweepMs: 100, sweepHoldMs: 0 };

export interface TestPresence {
  presence: Presence;
  registry: Registry;
  baseUrl: string;
  opsUrl: string;
}

export async function startTestPresence(
  redisUrl: string,
  settings: Partial<PresenceSettings> = {},
): Promise<TestPresence> {
  const registry = new Registry();
  const logger = createLogger({ service: 'presence', node: 'presence-1', level: process.env.LOG_LEVEL ?? 'silent' });
  const presence = createPresence({
    logger,
    registry,
    settings: {
      node: 'presence-1',
      host: '127.0.0.1',
      listenPort: 0,
      opsPort: 0,
      redisUrl,
      internalSecret: SECRET,
      development: false,
      logLevel: 'silent',
      storeDeadlineMs: 800,
      ...SHORT,
      ...settings,
    },
  });
  const { port, opsPort } = await presence.start();
  return { presence, registry, baseUrl: `http://127.0.0.1:${port}`, opsUrl: `http://127.0.0.1:${opsPort}` };
}

export async function request(
  baseUrl: string,
  path: string,
  body?: unknown,
  secret = SECRET,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${baseUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  return { status: response.status, body: await response.json() };
}

export async function snapshot(baseUrl: string, room: string): Promise<PresenceSnapshot & { version: number }> {
  const answer = await request(baseUrl, `/v1/rooms/${room}`);
  if (answer.status !== 200) throw new Error(`snapshot answered ${answer.status}`);
  return answer.body as PresenceSnapshot & { version: number };
}

/** The ids that a snapshot shows, sorted. */
export async function shownIn(baseUrl: string, room: string): Promise<string[]> {
  const { users } = await snapshot(baseUrl, room);
  return (users ?? []).map(({ id }) => id).sort();
}

/** Retries until `check` returns true. Fails with `what` after `withinMs`. */
export async function eventually(
  check: () => Promise<boolean> | boolean,
  what: string,
  withinMs = 4_000,
): Promise<void> {
  const start = performance.now();
  for (;;) {
    if (await check()) return;
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}

export const enter = (room: string, id: string) => ({ op: 'enter', room, user: { id, name: `Name of ${id}` } });
export const leave = (room: string, userId: string) => ({ op: 'leave', room, userId });
export const setStatus = (userId: string, status: Status, text?: string) => ({ op: 'status', userId, status, text });

/** The gateway's side of the contract. The test makes every step itself. */
export class RawNode {
  readonly process = randomBytes(12).toString('base64url');
  startedAt: number | undefined;
  nodeEpoch = 0;
  seq = 0;
  baseUrl: string;
  readonly name: string;

  constructor(baseUrl: string, name: string) {
    this.baseUrl = baseUrl;
    this.name = name;
  }

  post(what: string, body: unknown) {
    return request(this.baseUrl, `/v1/nodes/${this.name}/${what}`, body);
  }

  /** Begins an epoch and reports `ops` as the whole state. */
  async sync(...ops: unknown[]): Promise<void> {
    const answer = await this.post('sync', {
      process: this.process,
      ...(this.startedAt === undefined ? {} : { startedAt: this.startedAt }),
    });
    if (answer.status !== 200) throw new Error(`sync answered ${answer.status}`);
    const begun = answer.body as { startedAt: number; nodeEpoch: number };
    this.startedAt = begun.startedAt;
    this.nodeEpoch = begun.nodeEpoch;
    this.seq = 0;
    await this.report(ops, { commit: true });
  }

  async report(ops: unknown[], options: { commit?: boolean } = {}): Promise<{ resync: boolean }> {
    this.seq++;
    return this.repeat(this.seq, ops, options);
  }

  /** Repeats a report, as after a lost answer. */
  async repeat(seq: number, ops: unknown[], options: { commit?: boolean } = {}): Promise<{ resync: boolean }> {
    const answer = await this.post('report', { nodeEpoch: this.nodeEpoch, seq, ops, ...options });
    if (answer.status !== 200) throw new Error(`report answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body as { resync: boolean };
  }

  async renew(): Promise<{ resync: boolean }> {
    const answer = await this.post('beat', { nodeEpoch: this.nodeEpoch, seq: this.seq });
    if (answer.status !== 200) throw new Error(`renewal answered ${answer.status}`);
    return answer.body as { resync: boolean };
  }

  /** Renews the lease until the returned function is called. */
  keepAlive(everyMs = 300): () => void {
    const timer = setInterval(() => void this.renew().catch(() => {}), everyMs);
    return () => clearInterval(timer);
  }

  depart() {
    return this.post('depart', { nodeEpoch: this.nodeEpoch });
  }
}

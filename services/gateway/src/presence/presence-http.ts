/**
 * Requests to the presence service, each with a deadline. Every failure becomes a MaruError: the
 * service's own `conflict` and `invalid`, and `unavailable` for everything else.
 */
import {
  countsAnswer,
  type DepartRequest,
  departAnswer,
  pathOf,
  type RenewRequest,
  type ReportRequest,
  type RouteName,
  resyncAnswer,
  roomAnswer,
  type StatusRequest,
  type SyncRequest,
  statusAnswer,
  syncAnswer,
  usersAnswer,
} from '@maru/presence-api';
import { MaruError } from '@maru/protocol';
import type { z } from 'zod';
import { exchange } from './http-exchange.ts';
import type { PresenceClientMetrics } from './presence-metrics.ts';

/**
 * Deadline of requests that a client waits for. The client may have waited for a subscription
 * before.
 */
const READ_DEADLINE_MS = 750;
/** Longer than the service takes for a report, so a retry rarely overlaps the original. */
const REPORT_DEADLINE_MS = 3_000;

export interface PresenceHttpOptions {
  node: string;
  /** Without a path: `http://127.0.0.1:7001`. */
  baseUrl: string;
  secret: string;
  metrics: PresenceClientMetrics;
  /** Monotonic milliseconds. */
  now: () => number;
}

export type PresenceHttp = ReturnType<typeof createPresenceHttp>;

export function createPresenceHttp(options: PresenceHttpOptions) {
  const { node, metrics, now } = options;
  const origin = options.baseUrl.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${options.secret}`, 'content-type': 'application/json' };
  let lastAnswerAt = Number.NEGATIVE_INFINITY;

  const request = async <S extends z.ZodType>(
    call: RouteName,
    parameter: string,
    schema: S,
    body: unknown,
    deadlineMs: number,
  ): Promise<z.output<S>> => {
    try {
      const { status, text } = await exchange(`${origin}${pathOf(call, parameter)}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        deadlineMs,
      });
      const answer: unknown = JSON.parse(text);
      if (status === 409) throw new MaruError('conflict', 'another process with this node name is newer');
      if (status === 400 || status === 413) throw new MaruError('invalid', `presence refused ${call}`);
      if (status < 200 || status > 299) throw new MaruError('unavailable', `presence answered ${status}`);
      const parsed = schema.parse(answer);
      lastAnswerAt = now();
      return parsed;
    } catch (error) {
      metrics.requestErrors.inc({ call });
      if (error instanceof MaruError) throw error;
      throw new MaruError('unavailable', 'presence does not answer', { cause: error });
    }
  };

  return {
    sync: (body: SyncRequest) => request('sync', node, syncAnswer, body, REPORT_DEADLINE_MS),
    report: (body: ReportRequest) => request('report', node, resyncAnswer, body, REPORT_DEADLINE_MS),
    renew: (body: RenewRequest) => request('beat', node, resyncAnswer, body, READ_DEADLINE_MS),
    depart: (body: DepartRequest) => request('depart', node, departAnswer, body, READ_DEADLINE_MS),
    status: (userId: string, body: StatusRequest) => request('status', userId, statusAnswer, body, READ_DEADLINE_MS),
    room: (room: string) => request('room', room, roomAnswer, undefined, READ_DEADLINE_MS),
    counts: (rooms: string[]) => request('counts', '', countsAnswer, { rooms }, READ_DEADLINE_MS),
    users: (reader: string, users: string[]) => request('users', '', usersAnswer, { reader, users }, READ_DEADLINE_MS),
    /** When the service last answered, in milliseconds of `now`. */
    lastAnswerAt: () => lastAnswerAt,
  };
}

/**
 * Requests to the presence service, each with a deadline. Every failure becomes a MaruError: `conflict` and `invalid` are the
 * service's own words, everything else is `unavailable`.
 */
import { MaruError } from '@maru/protocol';
import type { z } from 'zod';
import { exchange } from './http-exchange.ts';
import type { PresenceClientMetrics } from './presence-metrics.ts';
import { countsAnswer, departAnswer, type Op, reportAnswer, roomAnswer, syncAnswer } from './wire.ts';

/** Somebody waits for the answer, and may have waited for a subscription before. */
const READ_DEADLINE_MS = 750;
/** Longer than the service works on a report, so that a repetition seldom meets its original. */
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
  const nodePath = `/v1/nodes/${encodeURIComponent(node)}`;
  let lastAnswerAt = Number.NEGATIVE_INFINITY;

  const request = async <S extends z.ZodType>(
    call: string,
    schema: S,
    path: string,
    body: unknown,
    deadlineMs: number,
  ): Promise<z.output<S>> => {
    try {
      const { status, text } = await exchange(`${origin}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        deadlineMs,
      });
      const answer: unknown = JSON.parse(text);
      if (status === 409) throw new MaruError('conflict', 'presence knows a younger process of this name');
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
    sync: (body: { process: string; startedAt?: number }) =>
      request('sync', syncAnswer, `${nodePath}/sync`, body, REPORT_DEADLINE_MS),
    report: (body: { nodeEpoch: number; seq: number; ops: Op[]; commit: boolean }) =>
      request('report', reportAnswer, `${nodePath}/report`, body, REPORT_DEADLINE_MS),
    beat: (body: { nodeEpoch: number; seq: number }) =>
      request('beat', reportAnswer, `${nodePath}/beat`, body, READ_DEADLINE_MS),
    depart: (body: { nodeEpoch: number }) =>
      request('depart', departAnswer, `${nodePath}/depart`, body, READ_DEADLINE_MS),
    room: (room: string) =>
      request('room', roomAnswer, `/v1/rooms/${encodeURIComponent(room)}`, undefined, READ_DEADLINE_MS),
    counts: (rooms: string[]) => request('counts', countsAnswer, '/v1/counts', { rooms }, READ_DEADLINE_MS),
    /** When the service answered last, in ms of `now`. */
    lastAnswerAt: () => lastAnswerAt,
  };
}

/** Rooms in one request for counts; the service takes no more. */
export const COUNTS_ROOMS_MAX = 200;
/** Operations in one report; the service takes no more. */
export const REPORT_OPS_MAX = 400;

/** Two gateways, and a function that calls any operation that corresponds to an event. */
import assert from 'node:assert/strict';
import { EVENT_CALLS, type EventCall, type EventCallName } from '@maru/protocol/calls';
import { assertHttpAnswer } from '@maru/protocol/describe';
import { tokenOf } from '../support/gateways.ts';
import { type Answer, call } from '../support/http.ts';
import { newId } from '../support/tokens.ts';
import { startModerationRig } from './moderation-setup.ts';

/** Members of the path. */
export type Path = Record<string, string | number>;

export interface Options {
  body?: unknown;
  query?: Record<string, string>;
  /** `Idempotency-Key`: a new one unless given; null for none. */
  key?: string | null;
  gateway?: number;
}

export type HttpRig = Awaited<ReturnType<typeof startHttpRig>>;

export async function startHttpRig() {
  const rig = await startModerationRig();
  /** Operations that succeeded. */
  const succeeded = new Set<string>();

  /** Calls an operation as a user, and checks the answer against the contract. */
  async function ask<T = Record<string, unknown>>(
    user: string,
    name: EventCallName,
    path: Path,
    { body, query, key = newId(), gateway = 1 }: Options = {},
  ): Promise<Answer<T>> {
    const { method, path: template }: EventCall = EVENT_CALLS[name];
    const filled = template.replace(/\{(\w+)\}/g, (_, member: string) => encodeURIComponent(path[member] ?? 'absent'));
    const answer = await call<T>(
      rig.urlOf(gateway),
      query === undefined ? filled : `${filled}?${new URLSearchParams(query)}`,
      {
        method,
        token: tokenOf(user),
        ...(body === undefined ? {} : { body }),
        headers: key === null ? {} : { 'idempotency-key': key },
      },
    );
    assertHttpAnswer(name, answer.status, answer.body);
    if (answer.status < 300) succeeded.add(name);
    return answer;
  }

  return {
    ...rig,
    succeeded,
    ask,
    /** Like `ask`, for a call that must succeed. */
    async done<T = Record<string, unknown>>(
      user: string,
      name: EventCallName,
      path: Path,
      options: Options = {},
    ): Promise<T> {
      const { status, body } = await ask<T>(user, name, path, options);
      const expected = (EVENT_CALLS[name] as EventCall).status ?? 200;
      assert.equal(status, expected, JSON.stringify(body));
      return body;
    },
  };
}

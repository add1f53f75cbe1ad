/** Calls count towards the limits of their user, like events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SendData } from '@maru/protocol';
import { connect } from '../support/client.ts';
import { startGateways, tokenOf } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { newId } from '../support/tokens.ts';
import { message } from './moderation-setup.ts';

async function start(t: { after(work: () => Promise<void>): void }, environment: Record<string, string>) {
  const cluster = await startGateways({ gateways: 1, environment });
  t.after(cluster.stop);
  const url = cluster.gateways[0]?.url as string;
  const send = (method: string, path: string, body?: object) =>
    call<SendData>(url, path, {
      method,
      token: tokenOf('mina'),
      headers: { 'idempotency-key': newId() },
      ...(body === undefined ? {} : { body }),
    });
  return { url, send };
}

/** Runs the calls of each round concurrently, round after round, and returns all answers. */
async function rounds<T>(count: number, round: () => Array<Promise<T>>): Promise<T[]> {
  const answers: T[] = [];
  for (let done = 0; done < count; done++) answers.push(...(await Promise.all(round())));
  return answers;
}

test('entries over HTTP and sockets take from one quota', async (t) => {
  const burst = 4;
  const quota = { MARU_USER_MESSAGES_PER_SECOND: '1', MARU_USER_MESSAGES_BURST: String(burst) };
  const startedAtMs = performance.now();
  const { url, send } = await start(t, quota);
  const client = await connect(url, { token: tokenOf('mina') });
  t.after(async () => client.close());
  await client.ok('room:join', { room: 'tea' });
  const { seq } = await client.ok('message:send', message('tea'));
  let texts = 0;
  const answers = await rounds(10, () => [
    send('PATCH', `/rooms/tea/messages/${seq}`, { text: `${texts++}` }),
    send('POST', '/rooms/tea/messages', { text: 'x' }),
    send('PATCH', '/rooms/tea/messages/1', { text: `${texts++}` }),
  ]);
  const refused = answers.filter(({ status }) => status >= 300);
  for (const answer of refused) {
    assertProblem(answer, 429, 'rate_limited');
    assert(Number(answer.headers.get('retry-after')) >= 1);
  }
  const stored = answers.length - refused.length + 1;
  const tokens = burst + (performance.now() - startedAtMs) / 1_000;
  assert(stored <= tokens, `${stored} were stored, for ${tokens} tokens`);
});

test('calls of one user are limited together, whatever they ask', async (t) => {
  const { send } = await start(t, { MARU_CONNECTION_EVENTS_PER_SECOND: '1', MARU_CONNECTION_EVENTS_BURST: '5' });
  const paths = ['/me/rooms', '/rooms/tea/members', '/rooms/tea/readers', '/rooms/tea', '/rooms/tea/bans'];
  const answers = await rounds(1, () =>
    Array.from({ length: 20 }, () => paths.map((path) => send('GET', path))).flat(),
  );
  const refused = answers.filter(({ status }) => status === 429);
  assert(refused.length > 0);
  for (const answer of refused) assertProblem(answer, 429, 'rate_limited');
});

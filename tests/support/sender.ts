/** A sender that obeys the limits: it keeps a window of sends open and waits for `retryAfterMs`. */
import type { Sent } from '@maru/testkit/checker/check-room';
import type { TestClient } from './client.ts';
import { sleep } from './poll.ts';

const WINDOW = 16;

/**
 * Sends `count` messages to the room. Retries after retryable refusals. Another refusal ends as
 * `refused`, and no answer before the timeout as `unknown`.
 */
export async function sendMany(client: TestClient, room: string, count: number, name: string): Promise<Sent[]> {
  const user = client.session.user.id;
  const sends: Sent[] = [];
  let next = 0;
  let notBeforeMs = 0;
  const work = async () => {
    for (let index = next++; index < count; index = next++) {
      await sleep(Math.max(0, notBeforeMs - Date.now()));
      const send: Sent = {
        user,
        connection: name,
        clientMsgId: `${name}-${index}`,
        text: `${name} says ${index}`,
        outcome: 'unknown',
      };
      // The pauses above may change the order of sends. This is the order in which they go out.
      sends.push(send);
      await sendUntilStored(send);
    }
  };
  const sendUntilStored = async (send: Sent) => {
    for (;;) {
      const ack = await client.request('message:send', {
        room,
        clientMsgId: send.clientMsgId,
        text: send.text,
      });
      if (ack.ok) {
        send.outcome = ack.data.seq;
        return;
      }
      send.retried = true;
      send.outcome = 'refused';
      if (!ack.error.retryable) return;
      notBeforeMs = Math.max(notBeforeMs, Date.now() + (ack.error.retryAfterMs ?? 100));
      await sleep(Math.max(0, notBeforeMs - Date.now()));
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, work));
  return sends;
}

/** Reads the whole history of a room, page by page. */
export async function readHistory(client: TestClient, room: string) {
  const entries = [];
  for (let after = 0; ; ) {
    const page = await client.patient('history:read', { room, after, limit: 200 });
    entries.push(...page.messages);
    const last = page.messages.at(-1);
    if (!page.hasMore || last === undefined) return entries;
    after = last.seq;
  }
}

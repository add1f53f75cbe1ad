/** A room in which many users reacted to one message, and measurements of its readers' waits. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { LIMITS } from '@maru/protocol';
import { connect } from './client.ts';

export interface Reacted {
  room: string;
  empty: string;
  /** A room with as many plain messages as a join returns. */
  plain: string;
  /** The `seq` of the message. Five messages are older, none is newer. */
  buried: number;
  /** Number of reactions. */
  reactions: number;
  /** The users who reacted, in order. */
  users: string[];
}

export const EMOJI = [...'😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓'];
const OLDER_MESSAGES = 5;
/** Users that react concurrently. */
const USERS_AT_ONCE = 20;

/** Each user reacts with 20 different emoji. */
export async function fillRoom(options: {
  url: string;
  token: (user: string) => string;
  reactions: number;
}): Promise<Reacted> {
  const { url, token } = options;
  const [room, empty, plain] = ['reacted', 'empty', 'plain'];
  const author = await connect(url, { token: token('author') });
  for (const id of [room, empty, plain]) await author.ok('room:create', { room: id });
  for (let n = 0; n < OLDER_MESSAGES; n++)
    await author.ok('message:send', { room, clientMsgId: `older-${n}`, text: `older ${n}` });
  const { seq } = await author.ok('message:send', { room, clientMsgId: 'buried', text: 'buried' });
  for (let n = 0; n < LIMITS.pageEntriesDefault; n++)
    await author.ok('message:send', { room: plain, clientMsgId: `plain-${n}`, text: `plain ${n}` });
  author.close();
  const users = Array.from({ length: Math.ceil(options.reactions / EMOJI.length) }, (_, index) => `user-${index}`);
  const react = async (user: string) => {
    const client = await connect(url, { token: token(user) });
    await Promise.all(
      EMOJI.map((emoji, index) =>
        client.ok('message:react', { room, seq, clientMsgId: `react-${index}`, emoji, active: true }),
      ),
    );
    client.close();
  };
  for (let from = 0; from < users.length; from += USERS_AT_ONCE)
    await Promise.all(users.slice(from, from + USERS_AT_ONCE).map(react));
  return { room, empty, plain, buried: seq, reactions: users.length * EMOJI.length, users };
}

export interface Timed {
  work(): Promise<unknown>;
  /** Not timed. */
  afterwards?(): Promise<unknown>;
}

/** The median time of each function, in milliseconds. They alternate. */
export async function medianMs(works: readonly Timed[], rounds: number): Promise<number[]> {
  const times: number[][] = works.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, { work, afterwards }] of works.entries()) {
      const startedAtMs = performance.now();
      await work();
      times[index]?.push(performance.now() - startedAtMs);
      await afterwards?.();
    }
  return times.map((all) => {
    const median = all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
    assert(median !== undefined);
    return median;
  });
}

/**
 * Makes the next start of a Redis slow: appends expensive commands without effect to its
 * append-only file.
 */
import { appendFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { poll } from '../support/poll.ts';
import { onNode } from './store.ts';

const KEY = 'maru-faults:loading';
const KEY_BYTES = 512 * 1_024;
const ROUNDS = 5;
const SAMPLES = 40;
const LOOK_MS = 10;
const ANSWER_TIMEOUT_MS = 1_000;
const LOADED_TIMEOUT_MS = 120_000;

export interface LongLoading {
  /** Delays the next start by about `byMs`. Call it while Redis is down. */
  append(byMs: number): void;
  /** Resolves when Redis has loaded, with the time of the last LOADING answer and the duration. */
  untilLoaded(): Promise<{ loadedAtMs: number; loadingMs: number }>;
}

export async function lengthenLoading(address: string, folder: string): Promise<LongLoading> {
  const costMs = await onNode(address, async (redis) => {
    await redis.setrange(KEY, KEY_BYTES - 1, 'x');
    let leastMs = Number.POSITIVE_INFINITY;
    // The fastest round shows the cost without other load.
    for (let round = 0; round < ROUNDS; round++) {
      const beganAtMs = performance.now();
      await Promise.all(Array.from({ length: SAMPLES }, () => redis.bitop('NOT', KEY, KEY)));
      leastMs = Math.min(leastMs, performance.now() - beganAtMs);
    }
    await redis.del(KEY);
    return leastMs / SAMPLES;
  });
  return {
    append(byMs) {
      const newest = readdirSync(folder)
        .filter((name) => name.endsWith('.incr.aof'))
        .sort((a, b) => numberOf(a) - numberOf(b))
        .at(-1);
      if (newest === undefined) throw new Error(`no append-only file in ${folder}`);
      const commands = [
        command('SELECT', '0'),
        command('SETRANGE', KEY, String(KEY_BYTES - 1), 'x'),
        command('BITOP', 'NOT', KEY, KEY).repeat(Math.ceil(byMs / costMs)),
        command('DEL', KEY),
      ];
      appendFileSync(path.join(folder, newest), commands.join(''));
    },
    async untilLoaded() {
      let firstAtMs: number | undefined;
      let lastAtMs = 0;
      await poll(
        'Redis to load its files',
        async () => {
          const loading = await isLoading(address);
          if (!loading) return loading === false && firstAtMs !== undefined;
          lastAtMs = performance.timeOrigin + performance.now();
          firstAtMs ??= lastAtMs;
          return false;
        },
        { timeoutMs: LOADED_TIMEOUT_MS, everyMs: LOOK_MS },
      );
      return { loadedAtMs: lastAtMs, loadingMs: lastAtMs - (firstAtMs ?? lastAtMs) };
    },
  };
}

/** appendonly.aof.<number>.incr.aof */
const numberOf = (name: string) => Number(name.split('.').at(-3));
const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

/**
 * Undefined if there is no answer. It uses a raw socket, because a client library waits until
 * loading ends.
 */
function isLoading(address: string): Promise<boolean | undefined> {
  const { hostname, port, username, password } = new URL(address);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let reply = '';
    const done = (answer: boolean | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => done(undefined));
    socket.once('error', () => done(undefined));
    socket.once('close', () => done(undefined));
    socket.once('connect', () => socket.write(command('AUTH', username, password) + command('PING')));
    socket.on('data', (data) => {
      reply += data.toString();
      if (reply.includes('-LOADING')) done(true);
      else if (reply.includes('+PONG')) done(false);
    });
  });
}

/**
 * Newcomers: one handshake after the other through the public address, each on a connection of its own. Which gateway took it stands in
 * the session id. Tells how soon a new gateway gets its first, and when a leaving one got its last. What is decided here is pure.
 */
import http from 'node:http';
import https from 'node:https';
import { sessionRouteOf } from '../../services/gateway/src/edge/session-route.ts';
import { sleep } from '../support/poll.ts';
import type { Pod } from './kube.ts';

export interface Handshake {
  atMs: number;
  /** The beginning of the session id; undefined where the handshake failed. */
  route: string | undefined;
  failure?: string;
}

/** What was seen of one gateway's pod, in milliseconds of the same clock as the handshakes. */
export interface Life {
  name: string;
  route: string;
  /** Undefined where it was there before the watch began, or never became ready. */
  readyAtMs: number | undefined;
  /** Undefined where it was not asked to leave while it was watched. */
  leavingAtMs: number | undefined;
}

export interface Verdict {
  /** From ready to its first newcomer, of each new gateway; undefined where none came. */
  learned: Array<{ name: string; afterMs: number | undefined }>;
  /** From being asked to leave to its last newcomer, of each leaving gateway; 0 where none came. */
  forgotten: Array<{ name: string; afterMs: number }>;
  failures: Handshake[];
  handshakes: number;
}

export function judgeEdge(handshakes: readonly Handshake[], lives: readonly Life[]): Verdict {
  const times = (route: string) => handshakes.filter((one) => one.route === route).map(({ atMs }) => atMs);
  return {
    learned: lives.flatMap(({ name, route, readyAtMs }) => {
      if (readyAtMs === undefined) return [];
      const first = times(route).find((atMs) => atMs >= readyAtMs);
      return [{ name, afterMs: first === undefined ? undefined : first - readyAtMs }];
    }),
    forgotten: lives.flatMap(({ name, route, leavingAtMs }) =>
      leavingAtMs === undefined
        ? []
        : [{ name, afterMs: Math.max(0, (times(route).at(-1) ?? leavingAtMs) - leavingAtMs) }],
    ),
    failures: handshakes.filter(({ route }) => route === undefined),
    handshakes: handshakes.length,
  };
}

export interface EdgeWatch {
  /** Ends it and tells what it saw. */
  finish(): Promise<Verdict>;
}

const HANDSHAKE_EVERY_MS = 100;
const HANDSHAKE_DEADLINE_MS = 5_000;
const PODS_EVERY_MS = 200;
const GATEWAY_PORT = 3_000;

/** A handshake over long-polling on a new connection, so that each may come in by another edge. */
export function shakeHands(url: string): Promise<Handshake> {
  const atMs = performance.now();
  return new Promise((resolve) => {
    const { get } = url.startsWith('https:') ? https : http;
    const request = get(`${url}/socket.io/?EIO=4&transport=polling`, { agent: false, timeout: HANDSHAKE_DEADLINE_MS });
    const failed = (failure: string) => resolve({ atMs, route: undefined, failure });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', (error) => failed(error.message));
    request.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.once('error', (error) => failed(error.message));
      response.once('end', () => {
        const route = /"sid":"([^."]+)\./.exec(body)?.[1];
        if (route === undefined) failed(`${response.statusCode} ${body.slice(0, 80)}`);
        // The moment of the answer: before it, nobody knew where it went.
        else resolve({ atMs: performance.now(), route });
      });
    });
  });
}

export function watchEdge(options: { url: string; gateways: () => Promise<Pod[]> }): EdgeWatch {
  const handshakes: Handshake[] = [];
  const lives = new Map<string, Life & { isNew: boolean }>();
  let over = false;
  const look = async (isNew: boolean) => {
    const pods = await options.gateways();
    const nowMs = performance.now();
    for (const { uid, name, ip, ready, leaving } of pods) {
      if (ip === undefined) continue;
      const route = sessionRouteOf('address', name, { localAddress: ip, localPort: GATEWAY_PORT });
      const life = lives.get(uid) ?? { name, route, isNew, readyAtMs: undefined, leavingAtMs: undefined };
      lives.set(uid, life);
      if (leaving) life.leavingAtMs ??= nowMs;
      else if (ready && life.isNew) life.readyAtMs ??= nowMs;
    }
  };
  const watching = (async () => {
    for (let isNew = false; !over; isNew = true) {
      await look(isNew);
      await sleep(PODS_EVERY_MS);
    }
  })();
  const shaking = (async () => {
    while (!over) {
      handshakes.push(await shakeHands(options.url));
      await sleep(HANDSHAKE_EVERY_MS);
    }
  })();
  // Told by `finish`.
  watching.catch(() => {});
  return {
    async finish() {
      over = true;
      await Promise.all([watching, shaking]);
      return judgeEdge(handshakes, [...lives.values()]);
    },
  };
}

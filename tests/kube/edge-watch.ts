/**
 * Opens sessions through the public address, one after another, each on a new connection. The
 * session id names the gateway. Measures when a new gateway gets its first session, and when a
 * terminating gateway got its last one. `summarize` is pure.
 */
import http from 'node:http';
import https from 'node:https';
import { sessionRouteOf } from '../../services/gateway/src/edge/session-route.ts';
import { sleep } from '../support/poll.ts';
import type { Pod } from './kube.ts';

export interface Handshake {
  atMs: number;
  /** The prefix of the session id; undefined when the handshake failed. */
  route: string | undefined;
  failure?: string;
}

/** The observed times of a gateway's pod, on the same clock as the handshakes. */
export interface ObservedPod {
  name: string;
  route: string;
  /** Undefined when the pod existed before the watch began, or never became ready. */
  readyAtMs: number | undefined;
  /** Undefined when the pod did not begin to terminate during the watch. */
  terminatingAtMs: number | undefined;
}

export interface EdgeSummary {
  /** For each new gateway, from ready to its first session; undefined when it got none. */
  firstSessions: Array<{ name: string; afterMs: number | undefined }>;
  /** For each terminating gateway, from the request to its last session; 0 when it got none. */
  lastSessions: Array<{ name: string; afterMs: number }>;
  failures: Handshake[];
  handshakes: number;
}

export function summarize(handshakes: readonly Handshake[], pods: readonly ObservedPod[]): EdgeSummary {
  const times = (route: string) => handshakes.filter((one) => one.route === route).map(({ atMs }) => atMs);
  return {
    firstSessions: pods.flatMap(({ name, route, readyAtMs }) => {
      if (readyAtMs === undefined) return [];
      const first = times(route).find((atMs) => atMs >= readyAtMs);
      return [{ name, afterMs: first === undefined ? undefined : first - readyAtMs }];
    }),
    lastSessions: pods.flatMap(({ name, route, terminatingAtMs }) =>
      terminatingAtMs === undefined
        ? []
        : [{ name, afterMs: Math.max(0, (times(route).at(-1) ?? terminatingAtMs) - terminatingAtMs) }],
    ),
    failures: handshakes.filter(({ route }) => route === undefined),
    handshakes: handshakes.length,
  };
}

export interface EdgeWatch {
  /** Stops the watch and returns what it measured. */
  finish(): Promise<EdgeSummary>;
}

const HANDSHAKE_EVERY_MS = 100;
const HANDSHAKE_DEADLINE_MS = 5_000;
const PODS_EVERY_MS = 200;
const GATEWAY_PORT = 3_000;

/** A handshake over long-polling on a new connection, so that each may reach another nginx pod. */
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
        // The time of the answer. The request may have waited in nginx before it reached a gateway.
        else resolve({ atMs: performance.now(), route });
      });
    });
  });
}

export function watchEdge(options: { url: string; gateways: () => Promise<Pod[]> }): EdgeWatch {
  const handshakes: Handshake[] = [];
  const observed = new Map<string, ObservedPod & { isNew: boolean }>();
  let over = false;
  const observe = async (isNew: boolean) => {
    const pods = await options.gateways();
    const nowMs = performance.now();
    for (const { uid, name, ip, ready, terminating } of pods) {
      if (ip === undefined) continue;
      const route = sessionRouteOf('address', name, { localAddress: ip, localPort: GATEWAY_PORT });
      const pod = observed.get(uid) ?? { name, route, isNew, readyAtMs: undefined, terminatingAtMs: undefined };
      observed.set(uid, pod);
      if (terminating) pod.terminatingAtMs ??= nowMs;
      else if (ready && pod.isNew) pod.readyAtMs ??= nowMs;
    }
  };
  const watching = (async () => {
    for (let isNew = false; !over; isNew = true) {
      await observe(isNew);
      await sleep(PODS_EVERY_MS);
    }
  })();
  const shaking = (async () => {
    while (!over) {
      handshakes.push(await shakeHands(options.url));
      await sleep(HANDSHAKE_EVERY_MS);
    }
  })();
  // `finish` reports the error. This handler prevents an unhandled rejection before it.
  watching.catch(() => {});
  return {
    async finish() {
      over = true;
      await Promise.all([watching, shaking]);
      return summarize(handshakes, [...observed.values()]);
    },
  };
}

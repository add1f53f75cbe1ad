/**
 * How to run a gateway or the presence service: a Node.js program that reads all settings from its
 * environment.
 */
import { get } from 'node:http';
import { NODE_FLAGS } from '@maru/service-kit';
import type { ProcessPlan } from './managed-process.ts';
import type { Ports } from './ports.ts';

export interface ServicePlan extends ProcessPlan {
  /** The port of its listener. 0 before the first start. */
  readonly port: number;
  readonly opsPort: number;
}

const ANSWER_WITHIN_MS = 1_000;

/** Whether the URL answers 200. Rejects if nothing answers. */
export function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: ANSWER_WITHIN_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', reject);
  });
}

/**
 * @param options.environment is called at every start, because addresses of other processes may
 *   change
 */
export function planService(options: {
  name: string;
  node: string;
  entry: string;
  ports: Ports;
  isFree: (port: number) => Promise<boolean>;
  environment: () => NodeJS.ProcessEnv;
  readyWithinMs: number;
}): ServicePlan {
  let port = 0;
  let opsPort = 0;
  const settle = (current: number) => (current === 0 ? options.ports.take() : options.ports.keep(current));
  return {
    name: options.name,
    ipc: true,
    readyWithinMs: options.readyWithinMs,
    get port() {
      return port;
    },
    get opsPort() {
      return opsPort;
    },
    async prepare() {
      port = await settle(port);
      opsPort = await settle(opsPort);
      return {
        file: options.node,
        args: [...NODE_FLAGS, options.entry],
        env: {
          ...options.environment(),
          MARU_NODE: options.name,
          MARU_HOST: '127.0.0.1',
          MARU_LISTEN_PORT: String(port),
          MARU_OPS_PORT: String(opsPort),
        },
      };
    },
    isReady: () => answersOk(`http://127.0.0.1:${opsPort}/readyz`),
    portsWereTaken: async () => !(await options.isFree(port)) || !(await options.isFree(opsPort)),
  };
}

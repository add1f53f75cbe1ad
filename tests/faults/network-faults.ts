/** Faults of the network between gateways and a single Redis, by a proxy between them. */
import type { TcpProxy } from '@maru/service-kit/testing';
import type { ProxiedEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';

const AFTER_NETWORK_MS = 5_000;

type NetworkFault = Fault<ProxiedEnvironment>;

const proxyOf = ({ proxies }: ProxiedEnvironment) => proxies[0] as TcpProxy;

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  {
    name: 'replies swallowed',
    about: 'requests reach Redis and its replies are lost, then the connections are reset',
    store: 'gone',
    holdMs: [200, 3_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    weight: 4,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      proxyOf(environment).mode = 'swallow';
      began();
      await sleep(holdMs);
      lifting();
      proxyOf(environment).mode = 'pass';
      proxyOf(environment).reset();
    },
  },
  {
    name: 'network silent',
    about: 'no data passes between gateways and Redis, without an error; then the connections are reset',
    store: 'gone',
    holdMs: [1_000, 8_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      proxyOf(environment).mode = 'blackhole';
      began();
      await sleep(holdMs);
      lifting();
      proxyOf(environment).mode = 'pass';
      proxyOf(environment).reset();
    },
  },
  {
    name: 'network slow',
    about: 'every reply of Redis is delayed by 300 ms',
    store: 'fine',
    holdMs: [1_000, 5_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      proxyOf(environment).delayMs = 300;
      proxyOf(environment).mode = 'delay';
      began();
      await sleep(holdMs);
      lifting();
      proxyOf(environment).mode = 'pass';
    },
  },
  {
    name: 'network resets',
    about: 'all connections to Redis are reset, several times in a row',
    store: 'fine',
    holdMs: [200, 2_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ environment, began, holdMs, sleep }) {
      const times = 4;
      began();
      for (let time = 0; time < times; time++) {
        proxyOf(environment).reset();
        await sleep(holdMs / times);
      }
    },
  },
];

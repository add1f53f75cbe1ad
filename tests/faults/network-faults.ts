/** Faults of the network between gateways and Redis, by a proxy between them. */
import type { ProxiedEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';

const AFTER_NETWORK_MS = 5_000;

type NetworkFault = Fault<ProxiedEnvironment>;

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  {
    name: 'replies swallowed',
    about: 'requests reach Redis and its replies are lost, then the connections are reset',
    store: 'gone',
    holdMs: [200, 3_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    weight: 4,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      environment.proxy.mode = 'swallow';
      began();
      await sleep(holdMs);
      lifting();
      environment.proxy.mode = 'pass';
      environment.proxy.reset();
    },
  },
  {
    name: 'network silent',
    about: 'no data passes between gateways and Redis, without an error; then the connections are reset',
    store: 'gone',
    holdMs: [1_000, 8_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      environment.proxy.mode = 'blackhole';
      began();
      await sleep(holdMs);
      lifting();
      environment.proxy.mode = 'pass';
      environment.proxy.reset();
    },
  },
  {
    name: 'network slow',
    about: 'every reply of Redis is delayed by 300 ms',
    store: 'fine',
    holdMs: [1_000, 5_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      environment.proxy.delayMs = 300;
      environment.proxy.mode = 'delay';
      began();
      await sleep(holdMs);
      lifting();
      environment.proxy.mode = 'pass';
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
        environment.proxy.reset();
        await sleep(holdMs / times);
      }
    },
  },
];

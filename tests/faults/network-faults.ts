/** Faults of the network between gateways and store, by a proxy between them. */
import type { Fault } from './fault.ts';
import type { ProxiedSite } from './site.ts';

const AFTER_NETWORK_MS = 5_000;

type NetworkFault = Fault<ProxiedSite>;

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  {
    name: 'replies swallowed',
    about: 'requests reach Redis and its replies are lost, then the connections are reset',
    store: 'gone',
    holdMs: [200, 3_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    weight: 4,
    async inject({ site, began, holdMs, sleep, lifting }) {
      site.proxy.mode = 'swallow';
      began();
      await sleep(holdMs);
      lifting();
      site.proxy.mode = 'pass';
      site.proxy.reset();
    },
  },
  {
    name: 'network silent',
    about: 'nothing passes between gateways and Redis, and nobody is told; then the connections are reset',
    store: 'gone',
    holdMs: [1_000, 8_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ site, began, holdMs, sleep, lifting }) {
      site.proxy.mode = 'blackhole';
      began();
      await sleep(holdMs);
      lifting();
      site.proxy.mode = 'pass';
      site.proxy.reset();
    },
  },
  {
    name: 'network slow',
    about: 'every reply of Redis comes 300 ms late',
    store: 'fine',
    holdMs: [1_000, 5_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ site, began, holdMs, sleep, lifting }) {
      site.proxy.delayMs = 300;
      site.proxy.mode = 'delay';
      began();
      await sleep(holdMs);
      lifting();
      site.proxy.mode = 'pass';
    },
  },
  {
    name: 'network resets',
    about: 'all connections to Redis are reset, several times in a row',
    store: 'fine',
    holdMs: [200, 2_000],
    wholeWithinMs: AFTER_NETWORK_MS,
    async inject({ site, began, holdMs, sleep }) {
      const times = 4;
      began();
      for (let time = 0; time < times; time++) {
        site.proxy.reset();
        await sleep(holdMs / times);
      }
    },
  },
];

/** Faults of a store on Sentinel: what dies is the primary, and a replica takes its place. */

import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import { REPLICAS, type SentinelStore } from './sentinel-store.ts';

/** After the promotion: Sentinel has told everybody, the other replica follows the new primary, clients have what they missed. */
const AFTER_FAILOVER_MS = 10_000;
const AFTER_REPLICA_MS = 5_000;

type SentinelFault = Fault<ClusterEnvironment<SentinelStore>>;

/**
 * When every replica had to have a message before it was acknowledged, nothing acknowledged may be lost. With fewer a failover may lose what the
 * promoted one had not got, or what an old primary took that did not know of it yet; that is counted. A
 * new life of the log comes either way: members may have seen a message that was stored, not acknowledged, and lost.
 */
export function sentinelFaults(waitReplicas: number): readonly SentinelFault[] {
  const failover = { rollsBack: true, losesAcknowledged: waitReplicas < REPLICAS, wholeWithinMs: AFTER_FAILOVER_MS };
  // Then nothing is acknowledged before the old primary is back as a replica.
  const needsAll = waitReplicas >= REPLICAS;
  const faults: readonly SentinelFault[] = [
    {
      name: 'primary killed',
      about: 'kill -9 of the primary; a replica is promoted, and the old one comes back as its replica',
      store: 'gone',
      ...failover,
      holdMs: [0, 0],
      weight: 4,
      async inject({ environment: { store }, began, lifting, lifted }) {
        const old = store.primary;
        await old.kill('SIGKILL');
        began();
        lifting(await store.untilPromoted(old));
        if (!needsAll) lifted();
        await store.restart(old);
        await store.untilFollowed();
      },
    },
    {
      name: 'replicas behind',
      about: 'the replicas are cut off from the primary, which goes on and is killed before they are back',
      store: waitReplicas > 0 ? 'refusing' : 'fine',
      ...failover,
      holdMs: [1_000, 3_000],
      async inject({ environment: { store }, began, holdMs, sleep, lifting, lifted }) {
        const old = store.primary;
        await store.cutOff();
        began();
        await sleep(holdMs);
        lifting();
        await old.kill('SIGKILL');
        await store.rejoin();
        await store.untilPromoted(old);
        if (!needsAll) lifted();
        await store.restart(old);
        await store.untilFollowed();
      },
    },
    {
      name: 'primary stopped',
      about: 'SIGSTOP of the primary until another is promoted, and then SIGCONT: for a moment there are two',
      store: 'gone',
      ...failover,
      holdMs: [0, 3_000],
      weight: 3,
      async inject({ environment: { store }, began, holdMs, sleep, lifting, lifted }) {
        const old = store.primary;
        await old.kill('SIGSTOP');
        try {
          began();
          lifting(await store.untilPromoted(old));
          if (!needsAll) lifted();
          await sleep(holdMs);
        } finally {
          await old.kill('SIGCONT');
        }
        // Sentinel makes it a replica some ten seconds later. Only where all replicas are needed is that to be waited for.
        if (needsAll) await store.untilFollowed();
      },
    },
    {
      name: 'replica killed',
      about: 'kill -9 of one replica of two, started again',
      store: 'fine',
      holdMs: [500, 5_000],
      wholeWithinMs: AFTER_REPLICA_MS,
      async inject({ environment: { store }, random, began, holdMs, sleep }) {
        const replica = random.pick(store.replicas());
        await replica.kill('SIGKILL');
        began();
        await sleep(holdMs);
        await store.restart(replica);
        await store.untilFollowed();
      },
    },
    {
      name: 'Sentinel killed',
      about: 'kill -9 of one Sentinel of three, started again',
      store: 'fine',
      holdMs: [500, 5_000],
      wholeWithinMs: AFTER_REPLICA_MS,
      weight: 1,
      async inject({ environment: { store }, random, began, holdMs, sleep }) {
        const sentinel = random.pick(store.sentinels);
        await sentinel.kill();
        began();
        await sleep(holdMs);
        sentinel.start();
      },
    },
  ];
  // Each meets a primary and its replicas, whatever the one before has left to Sentinel.
  return faults.map((fault) => ({
    ...fault,
    async inject(context) {
      await context.environment.store.untilFollowed();
      await fault.inject(context);
    },
  }));
}

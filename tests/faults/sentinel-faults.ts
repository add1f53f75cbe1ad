/** Faults of Redis Sentinel: the primary fails and a replica is promoted. */
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import { REPLICAS, type SentinelStore } from './sentinel-store.ts';

/**
 * Time after the promotion: Sentinel reports it, the other replica follows, and clients receive
 * missed entries.
 */
const AFTER_FAILOVER_MS = 10_000;
const AFTER_REPLICA_MS = 5_000;

type SentinelFault = Fault<ClusterEnvironment<SentinelStore>>;

/**
 * If every replica must have a message before its acknowledgement, no acknowledged message may be
 * lost. With fewer replicas, a failover may lose messages that the promoted replica lacks, or that
 * the old primary accepted after the failover. These are counted. The log begins a new epoch in
 * both cases, because members may have received a message that was stored, not acknowledged, and
 * lost.
 */
export function sentinelFaults(waitReplicas: number): readonly SentinelFault[] {
  const failover = { rollsBack: true, losesAcknowledged: waitReplicas < REPLICAS, wholeWithinMs: AFTER_FAILOVER_MS };
  // In this case nothing is acknowledged before the old primary is back as a replica.
  const needsAll = waitReplicas >= REPLICAS;
  const faults: readonly SentinelFault[] = [
    {
      name: 'primary killed',
      about: 'kill -9 of the primary; a replica is promoted, and the old primary returns as its replica',
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
      about: 'the replicas are disconnected from the primary, which is killed before they return',
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
      about: 'SIGSTOP of the primary until another is promoted, then SIGCONT: for a moment there are two',
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
        // Sentinel makes it a replica about ten seconds later. Only a store that needs all replicas
        // waits for that.
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
  // Each fault begins with a primary and all its replicas, even if the one before left work to
  // Sentinel.
  return faults.map((fault) => ({
    ...fault,
    async inject(context) {
      await context.environment.store.untilFollowed();
      await fault.inject(context);
    },
  }));
}

/** A gateway: how its parts start, drain and stop, in order. `wiring/parts.ts` builds the parts. */
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, type OpsServer, type Service, startOpsServer } from '@maru/service-kit';
import { type Phase, runPhases } from './cluster/phases.ts';
import type { GatewayConfig } from './config.ts';
import { forgetsErasedEntries } from './log/erasure-check.ts';
import { createParts, type Parts, type PartsOptions } from './wiring/parts.ts';

/** A start waits this long for the store. Then the gateway listens and reports `degraded`. */
const STORE_WAIT_MS = 5_000;
/**
 * Period of the checks for expired tokens, large backlogs, and watches that are no longer allowed.
 */
const SWEEP_MS = 1_000;

export interface Gateway extends Service {
  /** Resolves when the gateway listens. Rejects if a port is in use. */
  start(): Promise<{ port: number; opsPort: number }>;
}

export function createGateway(options: PartsOptions): Gateway {
  const { config, logger } = options;
  const parts = createParts(options);
  const { store, registry, slots, metrics, httpServer, drain, balance } = parts;
  let ops: OpsServer | undefined;
  let listening = false;
  let stopSweep: (() => void) | undefined;
  let stopped: Promise<void> | undefined;

  store.health.onChange((degraded) => registry.notifyAll({ code: degraded ? 'degraded' : 'recovered' }));

  const stop = () => {
    stopped ??= runPhases(
      [
        {
          name: 'unready',
          deadlineMs: 500,
          run: () => {
            listening = false;
            stopSweep?.();
          },
        },
        ...stopPhases(parts),
        { name: 'ops', deadlineMs: 500, run: () => ops?.close() },
      ],
      logger,
    );
    return stopped;
  };

  return {
    async start() {
      await parts.edge.open(store.ticker);
      ops = await startOpsServer({
        host: config.host,
        port: config.opsPort,
        registry: metrics.registry,
        // During a short outage of the store clients still connect and are notified.
        isReady: () =>
          listening &&
          !drain.active &&
          (store.health.degraded ? store.health.degradedMs : store.orders.silentMs) < config.unreadyAfterMs,
      });
      const reached = await store.connections.read.untilReady(STORE_WAIT_MS);
      if (!reached) logger.error('the store was not reached; starting degraded');
      await startParts(parts);
      if (reached) void checkErasure(options, parts);
      // Until the revocations are known, handshakes are refused for now.
      if (reached) await Promise.race([store.orders.poll().catch(() => {}), pause(STORE_WAIT_MS)]);
      const stopSlots = slots.start(store.ticker);
      const stopRegistry = store.ticker.join(SWEEP_MS, () => {
        registry.sweep(store.health.now());
        void parts.watches.recheck();
      });
      stopSweep = () => {
        stopSlots();
        stopRegistry();
      };
      const port = await listen(httpServer, config);
      listening = true;
      logger.info({ port, opsPort: ops.port }, 'listening');
      return { port, opsPort: ops.port };
    },
    /** Phases: unready, wait, announce, close in batches; then the phases of `stop`. */
    async drain() {
      await Promise.all([drain.run(), balance.leave()]);
      await stop();
    },
    stop,
  };
}

async function startParts({
  store,
  delivery,
  inboxChannels,
  presence,
  balance,
  nodes,
  personal,
}: Parts): Promise<void> {
  const { ticker, health, subscriber, ephemeralSubscriber, orders, gate } = store;
  gate.start(ticker);
  health.start(ticker);
  subscriber.start(ticker);
  ephemeralSubscriber.start(ticker);
  orders.start(ticker);
  delivery.start(ticker);
  inboxChannels.start(ticker);
  await presence.start();
  balance.start();
  nodes.questions.start();
  nodes.reports.start();
  store.audit.start(ticker);
  store.archiveTasks.start(ticker);
  personal.start(ticker);
}

async function checkErasure(
  { config, logger }: { config: GatewayConfig; logger: Logger },
  { store }: Parts,
): Promise<void> {
  const forgets = await forgetsErasedEntries(store.connections.read, config.node).catch(() => true);
  if (!forgets) logger.warn('deleted texts stay in memory of the store: set stream-node-max-entries to 1');
}

/**
 * The store closes last, because the other parts still use it. The sum of all deadlines is below
 * the 8 s that a process has to stop.
 */
function stopPhases(parts: Parts): Phase[] {
  const { store, archive, edge, delivery, inboxChannels, presence, balance, nodes, personal, tracing } = parts;
  return [
    {
      name: 'leave the balance and the list of nodes',
      deadlineMs: 500,
      run: () => Promise.all([balance.leave(), nodes.reports.stop()]),
    },
    // Together: a peer that does not answer must not delay the report that this node leaves.
    {
      name: 'close connections, untrack presence',
      deadlineMs: 3_000,
      run: () => Promise.all([edge.close(), presence.stop()]),
    },
    {
      name: 'stop delivery',
      deadlineMs: 500,
      run: () => {
        delivery.stop();
        inboxChannels.stop();
        store.subscriber.stop();
        store.ephemeralSubscriber.stop();
        store.health.stop();
        store.orders.stop();
        store.audit.stop();
        store.gate.stop();
        return Promise.all([store.archiveTasks.stop(), personal.stop()]);
      },
    },
    { name: 'close the store', deadlineMs: 1_500, run: () => Promise.all([store.close(), archive?.close()]) },
    { name: 'close tracing', deadlineMs: 1_000, run: () => tracing.close() },
  ];
}

function listen(httpServer: Parts['httpServer'], { listenPort, host }: GatewayConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    httpServer.once('error', reject);
    httpServer.listen(listenPort, host, () => resolve((httpServer.address() as AddressInfo).port));
  });
}

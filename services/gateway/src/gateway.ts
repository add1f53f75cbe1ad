/** A gateway as a whole: in which order it starts, hands over and ends. What it is made of says `wiring/parts.ts`. */
import type { AddressInfo } from 'node:net';
import { type Logger, type OpsServer, type Service, startOpsServer } from '@maru/service-kit';
import type { GatewayConfig } from './config.ts';
import type { Tracing } from './ops/tracing.ts';
import { createParts } from './wiring/parts.ts';

/** How long a start waits for the store before it listens all the same, degraded. */
const STORE_WAIT_MS = 5_000;
/** Expired tokens are looked for so often. */
const EXPIRY_SWEEP_MS = 1_000;

export interface Gateway extends Service {
  /** Resolves when it listens; rejects when a port cannot be bound. */
  start(): Promise<{ port: number; opsPort: number }>;
}

export function createGateway(options: { config: GatewayConfig; logger: Logger; tracing: Tracing }): Gateway {
  const { config, logger, tracing } = options;
  const { store, registry, metrics, hub, presence, chat, httpServer, fastPath, balance, drain } = createParts(options);
  const { connections, beat, health, subscriber, signals } = store;

  let ops: OpsServer | undefined;
  let listening = false;
  let endExpirySweep: (() => void) | undefined;
  let stopped: Promise<void> | undefined;

  health.onChange((degraded) => registry.noticeAll({ code: degraded ? 'degraded' : 'recovered' }));

  const stop = async () => {
    listening = false;
    endExpirySweep?.();
    await balance.leave();
    // Together: a peer that does not answer must not keep the others from hearing that this node leaves.
    await Promise.all([chat.close(), presence.stop()]);
    fastPath.close();
    hub.stop();
    subscriber.stop();
    signals.stop();
    health.stop();
    await store.close();
    await tracing.close();
    await ops?.close();
  };

  return {
    async start() {
      await fastPath.open(beat);
      ops = await startOpsServer({
        host: config.host,
        port: config.opsPort,
        registry: metrics.registry,
        // Not a matter of the store: without it clients are still accepted, and told.
        isReady: () => listening && !drain.underWay,
      });
      const reached = await connections.read.untilReady(STORE_WAIT_MS);
      if (!reached) logger.error('the store could not be reached; starting all the same, degraded');
      health.start(beat);
      subscriber.start(beat);
      signals.start(beat);
      hub.start(beat);
      await presence.start();
      balance.start();
      endExpirySweep = beat.join(EXPIRY_SWEEP_MS, () => registry.sweep(health.now()));
      await new Promise<void>((resolve, reject) => {
        httpServer.once('error', reject);
        httpServer.listen(config.listenPort, config.host, resolve);
      });
      listening = true;
      const { port } = httpServer.address() as AddressInfo;
      logger.info({ port, opsPort: ops.port }, 'listening');
      return { port, opsPort: ops.port };
    },
    async drain() {
      await Promise.all([drain.run(), balance.leave()]);
      stopped ??= stop();
      await stopped;
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

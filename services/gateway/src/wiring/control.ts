/** Orders of administrators: the revocations that this node knows, and the effects of orders. */
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { createPauseGate } from '../cluster/pause-gate.ts';
import type { RedisSubscriber } from '../delivery/redis-subscriber.ts';
import { createOrders, type OrderKind, type Orders, REVOCATIONS_MAX } from '../revocation/orders.ts';
import { RevokedUsers } from '../revocation/revoked-users.ts';
import type { SessionRegistry } from '../sessions/registry.ts';

export function createControl(options: {
  store: RedisStore;
  waitReplicas: number;
  tickMs: number;
  logger: Logger;
  now: () => number;
}) {
  const revokedUsers = new RevokedUsers({ max: REVOCATIONS_MAX });
  let signals: RedisSubscriber | undefined;
  const orders = createOrders({
    ...options,
    users: revokedUsers,
    subscriber: { want: (channel, handler) => signals?.want(channel, handler) },
  });
  const gate = createPauseGate({ ...options, check: orders.poll });
  return {
    revokedUsers,
    orders,
    gate,
    /** Called later, because the subscriber of signals needs the gate first. */
    signalBy: (subscriber: RedisSubscriber) => {
      signals = subscriber;
    },
  };
}

/** The share of the connections that one rebalance order moves, and the time for it. */
const REBALANCE_SHARE = 0.25;
const REBALANCE_WITHIN_MS = 30_000;

/** Carries out orders on this node. */
export function carryOut(options: {
  node: string;
  orders: Orders;
  revokedUsers: RevokedUsers;
  registry: SessionRegistry;
  /** Hands over all connections and ends the process. */
  drain: () => void;
  logger: Logger;
}): void {
  const { node, orders, revokedUsers, registry, drain, logger } = options;
  const endRevoked = () =>
    registry.endAll('revoked', ({ user, issuedAtS, beganAtMs }) => {
      const atMs = revokedUsers.at(user.id);
      if (atMs === undefined) return false;
      // An issuer's clock may be ahead. Then the revocation applies only to existing connections.
      return beganAtMs <= atMs || revokedUsers.isRevoked({ userId: user.id, issuedAtS });
    });
  orders.onLoaded(endRevoked);
  orders.onOrders((given) => {
    const targetsOf = (kind: OrderKind) =>
      new Set(given.flatMap((order) => (order.kind === kind ? [order.target] : [])));
    let ended = targetsOf('revoke').size > 0 ? endRevoked() : 0;
    const disconnected = targetsOf('disconnect');
    if (disconnected.size > 0) ended += registry.endAll('disconnected', ({ user }) => disconnected.has(user.id));
    for (const text of targetsOf('announce')) registry.notifyAll({ code: 'announcement', text });
    if (targetsOf('rebalance').has(node))
      registry.advise(Math.ceil(registry.size * REBALANCE_SHARE), REBALANCE_WITHIN_MS);
    logger.info({ orders: given.length, ended }, 'orders of administrators were carried out');
    if (targetsOf('drain').has(node)) drain();
  });
}

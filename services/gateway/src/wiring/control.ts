/** Orders of administrators: the revocations that this node knows, and what orders end. */
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { createPauseGate } from '../cluster/pause-gate.ts';
import type { RedisSubscriber } from '../delivery/subscriber.ts';
import { createOrders, type Orders, REVOCATIONS_MAX } from '../revocation/orders.ts';
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
    /** The subscriber of signals needs the gate first. */
    signalBy: (subscriber: RedisSubscriber) => {
      signals = subscriber;
    },
  };
}

/** Ends the sessions that orders are about. */
export function carryOut(options: {
  orders: Orders;
  revokedUsers: RevokedUsers;
  registry: SessionRegistry;
  logger: Logger;
}): void {
  const { orders, revokedUsers, registry, logger } = options;
  const endRevoked = () =>
    registry.endAll('revoked', ({ user, issuedAtS, beganAtMs }) => {
      const atMs = revokedUsers.at(user.id);
      if (atMs === undefined) return false;
      // An issuer's clock may be ahead. Then the token is dead only for connections that exist.
      return beganAtMs <= atMs || revokedUsers.isRevoked({ userId: user.id, issuedAtS });
    });
  orders.onLoaded(endRevoked);
  orders.onOrders((given) => {
    let ended = given.some(({ kind }) => kind === 'revoke') ? endRevoked() : 0;
    const disconnected = new Set(given.flatMap(({ kind, user }) => (kind === 'disconnect' ? [user] : [])));
    if (disconnected.size > 0) ended += registry.endAll('disconnected', ({ user }) => disconnected.has(user.id));
    logger.info({ orders: given.length, ended }, 'orders of administrators were carried out');
  });
}

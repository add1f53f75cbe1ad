/** What tests need of the outside world: ports, waiting, a Redis and a Redis Cluster of their own. */
export { findFreePort } from './free-port.ts';
export { poll, sleep } from './poll.ts';
export * from './redis-cluster.ts';
export * from './redis-server.ts';

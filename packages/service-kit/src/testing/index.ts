/**
 * Helpers for tests: free ports, waiting, and Redis as one server, with Sentinels, or as a Cluster.
 */
export { findFreePort } from './free-port.ts';
export { poll, sleep } from './poll.ts';
export * from './redis-cluster.ts';
export * from './redis-sentinel.ts';
export * from './redis-server.ts';

/**
 * Helpers for tests: free ports, waiting, Redis as one server, with Sentinels, or as a Cluster, and
 * a TCP proxy before it.
 */
export { findFreePort } from './free-port.ts';
export { poll, sleep } from './poll.ts';
export * from './redis-cluster.ts';
export * from './redis-sentinel.ts';
export * from './redis-server.ts';
export * from './tcp-proxy.ts';

export * from './config.ts';
export * from './environment.ts';
export * from './lifecycle.ts';
export * from './logger.ts';
export * from './ops-server.ts';
export * from './redis.ts';
export * from './redis-address.ts';
export { openRedis, type RedisSource, type RedisStore, type Shard, singleStore } from './redis-store.ts';
export * from './scripts.ts';

export * from './address.ts';
export * from './connect.ts';
export * from './scripts.ts';
export { gatherWrites, openRedis, type RedisSource, type RedisStore, type Shard, singleStore } from './store.ts';

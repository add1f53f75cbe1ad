export * from './address.ts';
export * from './connect.ts';
export * from './open.ts';
export * from './read-many.ts';
export * from './scripts.ts';
export { gatherWrites, type RedisStore, type Shard, singleStore } from './store.ts';
export { isSilent, isUsable, silenceMsOf } from './watchdog.ts';

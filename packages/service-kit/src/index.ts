export * from './config.ts';
export * from './lifecycle.ts';
export * from './logger.ts';
export * from './ops-server.ts';
export * from './redis.ts';
export * from './redis-address.ts';
export * from './scripts.ts';

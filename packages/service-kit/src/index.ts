export * from './config.ts';
export * from './environment.ts';
export * from './lifecycle.ts';
export * from './logger.ts';
export * from './node-flags.ts';
export * from './ops-server.ts';
export * from './process-metrics.ts';
export * from './secrets.ts';

export * from './errors.ts';
export * from './events.ts';
export { LIMITS } from './limits.ts';
export * from './schemas.ts';

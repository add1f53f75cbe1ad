import type { Health } from './reports.ts';

/** Checks whether a dependency answers. `call` MUST have a deadline. */
export const createProbe = (call: () => Promise<unknown>) => (): Promise<Health> =>
  call().then(
    () => 'ok',
    () => 'failing',
  );

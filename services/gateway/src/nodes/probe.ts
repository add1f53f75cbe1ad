import type { Health } from './reports.ts';

/** Whether something that this node needs answers. `call` MUST have a deadline. */
export const createProbe = (call: () => Promise<unknown>) => (): Promise<Health> =>
  call().then(
    () => 'ok',
    () => 'failing',
  );

/** The Lua scripts, and how they are called. */
import { loadScript } from '@maru/redis-store';
import type { ScriptRunner, StoreArgument } from './script-runner.ts';

const script = (name: string) => loadScript(new URL(`./${name}.lua`, import.meta.url));

export const SCRIPTS = {
  acceptReport: script('accept-report'),
  claimDue: script('claim-due'),
  commitUsers: script('commit-users'),
  departNode: script('depart-node'),
  dropEpoch: script('drop-epoch'),
  dueUsers: script('due-users'),
  expireNode: script('expire-node'),
  flushRoom: script('flush-room'),
  forgetVisit: script('forget-visit'),
  keepStatus: script('keep-status'),
  readPresence: script('read-presence'),
  readRoom: script('read-room'),
  readUsers: script('read-users'),
  releaseClaim: script('release-claim'),
  renewLease: script('renew-lease'),
  setStatus: script('set-status'),
  settleReport: script('settle-report'),
  syncNode: script('sync-node'),
  touchUser: script('touch-user'),
};

/** Runs a script with the keys that its header declares. `T` is the result in its header. */
export const runNamed = async <T>(
  runner: ScriptRunner,
  name: keyof typeof SCRIPTS,
  keys: Record<string, string>,
  args: StoreArgument[] = [],
): Promise<T> => (await runner.run(SCRIPTS[name], keys, args)) as T;

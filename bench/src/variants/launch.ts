/** Starts a server process with the probe and waits until it accepts clients. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { poll } from '@maru/service-kit/testing';
import type { Child, Children } from '../children.ts';
import { createProbe, type Probe } from '../measure/probe-client.ts';

const PROBE = new URL('../measure/probe.ts', import.meta.url).href;
const START_TIMEOUT_MS = 30_000;

export interface ServerProcess {
  name: string;
  pid: number;
  probe: Probe;
  child: Child;
}

export async function launch(options: {
  name: string;
  script: string | URL;
  env: Record<string, string>;
  children: Children;
  /** Node.js flags that the server also has in production. */
  nodeFlags?: string[];
  /** True once the server accepts clients. Without it the server sends `listening`. */
  isReady?: () => Promise<boolean>;
}): Promise<ServerProcess> {
  const { name, script, children } = options;
  const forked = fork(script instanceof URL ? fileURLToPath(script) : script, {
    // Only the memory reading calls `gc`.
    execArgv: [...(options.nodeFlags ?? []), '--expose-gc', '--import', PROBE],
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const child = children.adopt(forked);
  let listening = false;
  forked.on('message', (message) => {
    listening ||= message === 'listening';
  });
  await poll(
    `${name} to be ready`,
    async () => {
      if (!child.alive) return true;
      return options.isReady === undefined ? listening : options.isReady();
    },
    { timeoutMs: START_TIMEOUT_MS },
  );
  if (!child.alive) throw new Error(`${name} ended during its start:\n${child.output()}`);
  return { name, pid: child.pid, probe: createProbe(forked), child };
}

/** Starts one server process with the probe in it, and waits until it takes clients. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { poll } from '@maru/service-kit/testing';
import type { Child, Children } from '../children.ts';
import { createProbe, type Probe } from '../measure/probe-client.ts';

const PROBE = new URL('../measure/probe.ts', import.meta.url).href;
const START_MAX_MS = 30_000;

export interface ServerProcess {
  name: string;
  pid: number;
  probe: Probe;
  child: Child;
}

export async function launch(options: {
  name: string;
  script: string | URL;
  environment: Record<string, string>;
  children: Children;
  /** Flags that its own processes are run with, everywhere. */
  nodeFlags?: string[];
  /** Whether it takes clients; without it the server says so itself. */
  isReady?: () => Promise<boolean>;
}): Promise<ServerProcess> {
  const { name, script, children } = options;
  const started = fork(script instanceof URL ? fileURLToPath(script) : script, {
    // The same runtime for every server. `gc` is only called where memory is measured.
    execArgv: [...(options.nodeFlags ?? []), '--expose-gc', '--import', PROBE],
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const child = children.adopt(started);
  let listening = false;
  started.on('message', (message) => {
    listening ||= message === 'listening';
  });
  await poll(
    `${name} to be ready`,
    async () => {
      if (!child.alive) return true;
      return options.isReady === undefined ? listening : options.isReady();
    },
    { timeoutMs: START_MAX_MS },
  );
  if (!child.alive) throw new Error(`${name} ended at its start:\n${child.output()}`);
  return { name, pid: child.pid, probe: createProbe(started), child };
}

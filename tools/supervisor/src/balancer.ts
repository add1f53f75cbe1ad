/** nginx as the balancer: configures its nodes, and reloads it without closing connections. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessPlan } from './managed-process.ts';
import { type BalancedNode, type NginxSettings, renderNginxConfig } from './nginx-config.ts';
import type { Ports } from './ports.ts';

export interface Balancer {
  plan: ProcessPlan;
  /**
   * Configures nginx with the current nodes. Resolves when new connections use them: at once if
   * nothing changed or nginx does not run. If the configuration is invalid, it rejects and nginx
   * keeps the old one. The owner MUST call it when nginx is up, because nodes may change while it
   * starts.
   */
  sync(): Promise<void>;
}

const TAKES_HOLD_WITHIN_MS = 10_000;
/** The old workers of nginx stop accepting about 100 ms after the new ones start. */
const OLD_WORKERS_STOP_MS = 300;

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 1_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve(text));
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', reject);
  });
}

export function createBalancer(options: {
  file: string;
  templatePath: string;
  /** The directory of nginx. Created if it is missing. */
  directory: string;
  settings: Omit<NginxSettings, 'controlPort' | 'runDirectory'>;
  ports: Ports;
  isFree: (port: number) => Promise<boolean>;
  nodes: () => BalancedNode[];
  /** Whether nginx runs and is ready. Before that, SIGHUP would stop it. */
  isUp: () => boolean;
  /** Sends SIGHUP. */
  reload: () => void;
}): Balancer {
  const { file, directory, ports } = options;
  const configPath = join(directory, 'nginx.conf');
  const args = ['-p', `${directory}/`, '-c', configPath, '-e', 'stderr'];
  let controlPort = 0;
  let generation = 0;
  /** The last configuration, with generation 0. */
  let loaded = '';
  let queue: Promise<unknown> = Promise.resolve();

  const render = (number: number) =>
    renderNginxConfig(readFileSync(options.templatePath, 'utf8'), {
      settings: { ...options.settings, controlPort, runDirectory: directory },
      nodes: options.nodes(),
      generation: number,
    });

  const servedGeneration = () => fetchText(`http://127.0.0.1:${controlPort}/generation`).catch(() => '');

  function check(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn(file, ['-p', `${directory}/`, '-c', path, '-e', 'stderr', '-t', '-q'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`nginx rejects its configuration: ${output.trim()}`)),
      );
    });
  }

  async function syncNow(): Promise<void> {
    // When nginx starts, `prepare` renders the nodes of that moment.
    if (!options.isUp()) return;
    const body = render(0);
    if (body === loaded) return;
    const wanted = generation + 1;
    const draft = `${configPath}.new`;
    writeFileSync(draft, render(wanted), { mode: 0o600 });
    await check(draft);
    renameSync(draft, configPath);
    generation = wanted;
    loaded = body;
    options.reload();
    const deadline = performance.now() + TAKES_HOLD_WITHIN_MS;
    while ((await servedGeneration()) !== String(wanted)) {
      if (!options.isUp()) return;
      if (performance.now() > deadline) {
        loaded = '';
        throw new Error('nginx did not load its new configuration; see logs/nginx.log');
      }
      await sleep(40);
    }
    await sleep(OLD_WORKERS_STOP_MS);
  }

  return {
    plan: {
      name: 'nginx',
      ipc: false,
      readyWithinMs: 10_000,
      async prepare() {
        controlPort = controlPort === 0 ? await ports.take() : await ports.keep(controlPort);
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        loaded = render(0);
        generation += 1;
        writeFileSync(configPath, render(generation), { mode: 0o600 });
        return { file, args, env: { PATH: process.env.PATH, LANG: 'C' } };
      },
      // If nginx answers here, it also listens on the public port: it opens all listeners before it
      // serves any.
      isReady: async () => (await servedGeneration()) === String(generation),
      portsWereTaken: async () => !(await options.isFree(controlPort)),
    },
    sync() {
      const next = queue.then(syncNow);
      queue = next.catch(() => {});
      return next;
    },
  };
}

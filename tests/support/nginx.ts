/** The real nginx with deploy/nginx.conf, without the supervisor. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@maru/service-kit/testing';
import { renderNginxConfig } from '../../tools/supervisor/src/nginx-config.ts';
import { repository } from './cluster.ts';
import { poll } from './poll.ts';

export interface Nginx {
  url: string;
  child: ChildProcess;
  stop(): Promise<void>;
}

export interface NginxOptions {
  gatewayPorts: readonly number[];
  trustedProxies?: readonly string[];
  connectOrigins?: readonly string[];
  /** Descriptors of the worker: two for each client. Default 1,024. */
  filesMax?: number;
  /** Changes the configuration before it is used. */
  adapt?: (configuration: string) => string;
  /** Puts files into the folder of the web client. */
  prepare?: (webRoot: string) => void;
  /** Starts nginx with the configuration. The file and its folder are removed at the end. */
  start?: (file: string) => ChildProcess;
}

const startNginxItself = (file: string) => spawn('nginx', ['-e', 'stderr', '-c', file], { stdio: 'ignore' });

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { adapt = (configuration) => configuration, start = startNginxItself } = options;
  const directory = mkdtempSync(join(tmpdir(), 'maru-edge-'));
  const [port, controlPort] = [await findFreePort(), await findFreePort()];
  const webRoot = join(directory, 'web');
  mkdirSync(webRoot);
  options.prepare?.(webRoot);
  const configuration = renderNginxConfig(readFileSync(join(repository, 'deploy/nginx.conf'), 'utf8'), {
    settings: {
      host: '127.0.0.1',
      port,
      ipv6: false,
      controlPort,
      runDirectory: directory,
      webRoot,
      workers: 1,
      trustedProxies: options.trustedProxies ?? [],
      connectOrigins: options.connectOrigins ?? [],
      filesMax: options.filesMax ?? 1_024,
      rootUser: process.getuid?.() === 0 ? 'root' : null,
    },
    nodes: options.gatewayPorts.map((gatewayPort, index) => ({
      name: `gateway-${index + 1}`,
      port: gatewayPort,
      takes: 'all',
    })),
    generation: 1,
  });
  const file = join(directory, 'nginx.conf.template');
  writeFileSync(file, adapt(configuration));
  const child = start(file);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await poll('nginx to answer', async () =>
      fetch(`http://127.0.0.1:${controlPort}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, child, stop };
}

/**
 * nginx in front of the nodes, to measure its cost. It proxies WebSockets like deploy/nginx.conf.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findFreePort, poll } from '@maru/service-kit/testing';
import type { Children } from '../children.ts';

export interface Edge {
  host: string;
  port: number;
  pid: number;
  version: string;
  removeFiles(): void;
}

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 10_000;

export async function startEdge(options: {
  nodes: Array<{ host: string; port: number }>;
  clients: number;
  children: Children;
}): Promise<Edge> {
  const directory = mkdtempSync(path.join(tmpdir(), 'maru-bench-nginx-'));
  const port = await findFreePort();
  // nginx needs two connections for each client.
  const connections = options.clients * 2 + 500;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path "${directory}/${kind}";`,
  );
  const file = path.join(directory, 'nginx.conf');
  writeFileSync(
    file,
    // A single process: workers would survive a killed master.
    `daemon off;
master_process off;
worker_rlimit_nofile ${connections};
pid "${directory}/nginx.pid";
error_log stderr error;
events { worker_connections ${connections}; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  upstream nodes {
    least_conn;
    ${options.nodes.map(({ host, port: nodePort }) => `server ${host}:${nodePort};`).join('\n    ')}
  }
  server {
    listen ${HOST}:${port} backlog=4096;
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $http_host;
      proxy_read_timeout 60s;
      proxy_buffering off;
    }
  }
}
`,
  );
  const child = options.children.adopt(
    spawn('nginx', ['-p', directory, '-e', 'stderr', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const removeFiles = () => rmSync(directory, { recursive: true, force: true });
  try {
    await poll('nginx to listen', () => !child.alive || canConnect(port), { timeoutMs: START_TIMEOUT_MS });
    if (!child.alive) throw new Error(`nginx ended during its start:\n${child.output()}`);
  } catch (error) {
    removeFiles();
    throw error;
  }
  return { host: HOST, port, pid: child.pid, version: await nginxVersion(), removeFiles };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, HOST, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function nginxVersion(): Promise<string> {
  return new Promise((resolve) => {
    const nginx = spawn('nginx', ['-v'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    nginx.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    nginx.once('close', () => resolve(/nginx\/(\S+)/.exec(text)?.[1] ?? 'unknown'));
  });
}

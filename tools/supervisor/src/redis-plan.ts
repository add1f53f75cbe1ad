/** Runs Redis with the files of deploy/redis. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { renderRedisAcl, renderRedisConfig } from '../../../deploy/redis/render.ts';
import type { ProcessPlan } from './managed-process.ts';
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';

export interface RedisPlan extends ProcessPlan {
  readonly port: number;
  /** Has all rights. */
  readonly adminUrl: string;
  /** For the application. */
  readonly maruUrl: string;
  readonly archiverUrl: string;
}

const ANSWER_WITHIN_MS = 1_000;

/** True if Redis accepts the password and has loaded its data. */
export function pingRedis(port: number, account: string, password: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), ANSWER_WITHIN_MS);
    socket.setEncoding('latin1');
    socket.once('connect', () => socket.write(`AUTH ${account} ${password}\r\nPING\r\n`));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.split('\r\n').length > 2) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(answer === '+OK\r\n+PONG\r\n');
    });
  });
}

export function planRedis(options: {
  file: string;
  /** Created if it is missing. */
  directory: string;
  maxMemory: string;
  secrets: Secrets;
  ports: Ports;
  isFree: (port: number) => Promise<boolean>;
}): RedisPlan {
  const { directory, secrets, ports } = options;
  let port = 0;
  const url = (account: string, password: string) => `redis://${account}:${password}@127.0.0.1:${port}`;
  return {
    name: 'redis',
    ipc: false,
    // A long append-only file takes a while to load.
    readyWithinMs: 120_000,
    get port() {
      return port;
    },
    get adminUrl() {
      return url('admin', secrets.redisAdminPassword);
    },
    get maruUrl() {
      return url('maru', secrets.redisMaruPassword);
    },
    get archiverUrl() {
      return url('archiver', secrets.redisArchiverPassword);
    },
    async prepare() {
      port = port === 0 ? await ports.take() : await ports.keep(port);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const configPath = join(directory, 'redis.conf');
      const aclPath = join(directory, 'users.acl');
      const acl = renderRedisAcl({
        adminPassword: secrets.redisAdminPassword,
        maruPassword: secrets.redisMaruPassword,
        archiverPassword: secrets.redisArchiverPassword,
      });
      writeFileSync(aclPath, acl, { mode: 0o600 });
      const config = renderRedisConfig({ port, directory, aclPath, maxMemory: options.maxMemory });
      writeFileSync(configPath, config, { mode: 0o600 });
      return { file: options.file, args: [configPath], env: { PATH: process.env.PATH, LANG: 'C' } };
    },
    isReady: () => pingRedis(port, 'admin', secrets.redisAdminPassword),
    portsWereTaken: async () => !(await options.isFree(port)),
  };
}

/** Gateways with PostgreSQL and an archiver. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { migrateArchive, openArchive } from '@maru/archive-db';
import { startTestPostgres } from '@maru/archive-db/testing';
import { assertHttpAnswer } from '@maru/protocol/describe';
import { findFreePort } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { connect, type TestClient } from '../support/client.ts';
import { repository } from '../support/cluster.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { keysWith } from './store-search.ts';

export interface Line {
  room: string;
  seq: number;
  ts: number;
  type: string;
  text?: string;
  erased?: true;
  cursor?: string;
  end?: true;
  entries?: number;
}

export interface JobBody {
  job: string;
  state: string;
  changes: number;
}

export type PersonalRig = Awaited<ReturnType<typeof startPersonalRig>>;

/** `more`: settings of the gateways. */
export async function startPersonalRig(more: Record<string, string> = {}) {
  const postgres = await startTestPostgres();
  await migrateArchive({ url: postgres.url, log: () => {} });
  const archive = openArchive({ url: postgres.url, poolMax: 4, deadlineMs: 10_000, onError: () => {} });
  const environment = { ...WIDE_LIMITS, MARU_POSTGRES_URL: postgres.url, ...more };
  const site: Gateways = await startGateways({ gateways: 2, environment });
  const redis = new Redis(site.redis.url);
  const archiver = await startArchiver(site.redis.url, postgres.url);
  const open: TestClient[] = [];
  const urlOf = (gateway: number): string => site.gateways[gateway]?.url as string;

  const job = async (user: string, id: string, gateway = 1): Promise<JobBody> => {
    const { status, body } = await call<JobBody & Record<string, unknown>>(urlOf(gateway), `/me/jobs/${id}`, {
      token: tokenOf(user),
    });
    assert.equal(status, 200, JSON.stringify(body));
    assertHttpAnswer('readJob', status, body);
    return body;
  };

  return {
    site,
    redis,
    archive,
    postgres,
    postgresUrl: postgres.url,
    urlOf,
    job,
    archiver,
    untilArchived: () => untilArchived(redis),

    async enter(sub: string, gateway = 0): Promise<TestClient> {
      const client = await connect(urlOf(gateway), { token: tokenOf(sub) });
      open.push(client);
      return client;
    },

    /** Places that contain one of the texts: keys of Redis, and tables of PostgreSQL. */
    async placesWith(texts: string[]): Promise<string[]> {
      const tables = await archive.read((tx) =>
        tx.query<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables
          WHERE table_schema = 'public'`),
      );
      const found: string[] = [];
      for (const { name } of tables) {
        const rows = await archive.read((tx) => tx.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`));
        if (rows.some(({ row }) => texts.some((text) => row.includes(text)))) found.push(name);
      }
      return [...found, ...(await keysWith(site.redis.url, texts))];
    },

    async export(user: string, cursor?: string): Promise<Line[]> {
      const query = cursor === undefined ? '' : `?cursor=${cursor}`;
      const response = await fetch(`${urlOf(0)}/api/v1/me/export${query}`, {
        headers: { authorization: `Bearer ${tokenOf(user)}` },
      });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.match(response.headers.get('content-type') ?? '', /^application\/jsonl/);
      const lines = text.trimEnd().split('\n');
      return lines.map((line) => {
        const value = JSON.parse(line) as Line;
        assertHttpAnswer('exportMe', 200, value);
        return value;
      });
    },

    async erase(user: string, gateway = 0): Promise<string> {
      const { status, headers, body } = await call<JobBody & Record<string, unknown>>(urlOf(gateway), '/me', {
        method: 'DELETE',
        token: tokenOf(user),
      });
      assert.equal(status, 202, JSON.stringify(body));
      assertHttpAnswer('eraseMe', status, body);
      assert.equal(headers.get('location'), `/api/v1/me/jobs/${body.job}`);
      return body.job;
    },

    async untilDone(user: string, id: string, gateway = 1): Promise<JobBody> {
      const isDone = async () => (await job(user, id, gateway)).state === 'done';
      await poll('the erasure to be done', isDone, { timeoutMs: 40_000 });
      return job(user, id, gateway);
    },

    async stop() {
      for (const client of open) client.close();
      redis.disconnect();
      await archiver.stop();
      await archive.close();
      await site.stop();
      await postgres.stop();
    },
  };
}

/** Resolves when the archive has every entry of every room. */
const untilArchived = (redis: Redis): Promise<unknown> =>
  poll('the archive to have everything', async () => {
    for (const key of await redis.keys('maru:{*}:meta')) {
      const [archived, deleted] = await redis.hmget(key, 'archived', 'deleted');
      const [newest] = await redis.xrevrange(key.replace(/meta$/, 'log'), '+', '-', 'COUNT', 1);
      if (deleted == null && newest !== undefined && Number.parseInt(newest[0], 10) !== Number(archived)) return false;
    }
    return true;
  });

/** An archiver that scans all rooms often. */
async function startArchiver(redisUrl: string, postgresUrl: string) {
  const child = spawn(process.execPath, ['services/archiver/src/main.ts'], {
    cwd: repository,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      MARU_NODE: 'archiver-1',
      MARU_REDIS_URL: redisUrl,
      MARU_POSTGRES_URL: postgresUrl,
      MARU_OPS_PORT: String(await findFreePort()),
      MARU_ARCHIVER_SCAN_PERIOD_MS: '500',
    },
  });
  return {
    /** Pauses it between two transactions. */
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The whole service in this process, with short times. */
import { Registry } from 'prom-client';
import { type Archiver, createArchiver } from '../archiver.ts';
import type { ArchiverSettings } from '../settings.ts';
import { type Rig, silent } from './rig.ts';

export interface TestArchiver {
  archiver: Archiver;
  opsPort: number;
  metric(name: string): Promise<number>;
}

export async function startArchiver(rig: Rig, more: Partial<ArchiverSettings> = {}): Promise<TestArchiver> {
  const registry = new Registry();
  const settings: ArchiverSettings = {
    node: 'archiver-1',
    host: '127.0.0.1',
    opsPort: 0,
    redisUrl: rig.redisServer.url,
    postgresUrl: rig.postgres.url,
    development: false,
    logLevel: 'silent',
    storeDeadlineMs: 1_000,
    writeDeadlineMs: 1_000,
    workers: 2,
    scanPeriodMs: 86_400_000,
    scanKeysPerSecond: 1_000_000,
    retentionDays: 0,
    retentionRooms: undefined,
    retentionPeriodMs: 86_400_000,
    ...more,
  };
  const archiver = createArchiver({ settings, logger: silent, registry });
  const { opsPort } = await archiver.start();
  return {
    archiver,
    opsPort,
    async metric(name) {
      const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
      return values.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

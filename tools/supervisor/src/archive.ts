/** The archive of a cluster: PostgreSQL, and the archiver that fills it. */
import type { ManagedProcess, ProcessPlan } from './managed-process.ts';
import type { Other } from './members.ts';
import { planPostgres } from './postgres-plan.ts';
import type { PostgresPrograms } from './postgres-setup.ts';
import type { Secrets } from './secrets.ts';
import { planService } from './service-plan.ts';
import { unprivilegedAccount } from './unprivileged.ts';

export interface Archive {
  postgres: Other;
  archiver: Other;
  /** Creates the database if it is missing. Call it before PostgreSQL starts. */
  setUp(signal: AbortSignal): Promise<void>;
  /** For the services. */
  postgresUrl(): string;
}

/** Debian's package creates the first account. The second one owns no files. */
export const ACCOUNTS = ['postgres', 'nobody'];

interface Options {
  programs: PostgresPrograms;
  /** For PostgreSQL's data. */
  directory: string;
  secrets: Secrets;
  /** Settings of all services. */
  service: Pick<Parameters<typeof planService>[0], 'node' | 'ports' | 'isFree' | 'readyWithinMs'>;
  /** The archiver's program. */
  entry: string;
  /** Called at every start of the archiver. */
  environment: (postgresUrl: string) => NodeJS.ProcessEnv;
  manage: (plan: ProcessPlan) => ManagedProcess;
}

export function createArchive(options: Options): Archive {
  const { ports, isFree } = options.service;
  const plan = planPostgres({
    programs: options.programs,
    directory: options.directory,
    account: unprivilegedAccount(ACCOUNTS),
    secrets: options.secrets,
    ports,
    isFree,
  });
  return {
    postgres: {
      name: 'postgres',
      kind: 'postgres',
      process: options.manage(plan),
      address: () => plan.adminUrl,
      ops: () => null,
    },
    archiver: createArchiver(options, () => plan.maruUrl),
    setUp: plan.setUp,
    postgresUrl: () => plan.maruUrl,
  };
}

function createArchiver(options: Options, postgresUrl: () => string): Other {
  const plan = planService({
    ...options.service,
    name: 'archiver-1',
    entry: options.entry,
    environment: () => options.environment(postgresUrl()),
  });
  const ops = () => `http://127.0.0.1:${plan.opsPort}`;
  // It listens for operators only.
  return { name: plan.name, kind: 'archiver', process: options.manage(plan), address: ops, ops };
}

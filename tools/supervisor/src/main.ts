/**
 * Runs a cluster until a signal stops it. Only this module handles signals and exits.
 * tools/start.mjs starts it with the settings as one JSON argument, and a channel that closes when
 * the parent is gone.
 */
import { spawnSync } from 'node:child_process';
import { ConfigError, withFileValues } from '@maru/service-kit';
import { describeFailure, Failure } from '../../bootstrap/failure.mjs';
import { ROOT } from '../../bootstrap/root.mjs';
import { createReporter } from '../../bootstrap/terminal.mjs';
import { type ControlServer, startControlServer } from './control-server.ts';
import { type DataDir, openDataDir } from './data-dir.ts';
import { isAwkwardPath } from './nginx-config.ts';
import { tryPort } from './ports.ts';
import { whyNotThisRedis } from './redis-version.ts';
import { loadSecrets } from './secrets.ts';
import { lookAround, type SupervisorSettings } from './settings.ts';
import { onStopSignals } from './stop-signals.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

const reporter = createReporter({ stream: process.stdout, environment: process.env });
const settings = JSON.parse(process.argv[2] ?? '{}') as SupervisorSettings;
let supervisor: Supervisor | null = null;
let dataDir: DataDir | null = null;
let control: ControlServer | null = null;
let stopping = false;

// Files of the supervisor and its children are readable by their owner only.
process.umask(0o077);

async function checkPort(): Promise<void> {
  const { host, port } = settings;
  const problem = await tryPort(port, host);
  if (problem === null) return;
  if (problem === 'no such address') throw new Failure(`This machine has no address ${host}; see --host.`);
  let other = Math.max(port, 1_024) + 1;
  while (other < 65_535 && (await tryPort(other, host)) !== null) other += 1;
  const reason =
    problem === 'forbidden' ? `Only root may use port ${port}.` : `Another program on this machine uses port ${port}.`;
  throw new Failure(`${reason}\nChoose another:  npm start -- --port ${other}   (or MARU_PORT=${other})`);
}

function checkPrograms(): void {
  const { stdout } = spawnSync(settings.programs.redis, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const problem = whyNotThisRedis(stdout ?? '');
  if (problem !== null) throw new Failure(`${settings.programs.redis}: ${problem}.`);
  for (const path of [settings.webRoot, settings.dataDir]) {
    if (isAwkwardPath(path))
      throw new Failure(`nginx cannot use this path; move the clone or the data directory: ${JSON.stringify(path)}`);
  }
}

/**
 * Reads `_FILE` variables here. Otherwise the supervisor would generate some of these values and
 * pass both to the services.
 */
function readEnvironment(): NodeJS.ProcessEnv {
  try {
    return withFileValues(process.env);
  } catch (error) {
    throw error instanceof ConfigError ? new Failure(error.message, { exitCode: 2 }) : error;
  }
}

async function start(): Promise<void> {
  const environment = readEnvironment();
  checkPrograms();
  dataDir = await openDataDir(settings.dataDir);
  if (dataDir.healed.length > 0) {
    const names = [...new Set(dataDir.healed.map(({ name }) => name))].join(', ');
    reporter.step('healed', `the last run was killed; stopped its remaining processes: ${names}`);
  }
  await checkPort();
  supervisor = createSupervisor({
    settings,
    machine: await lookAround(),
    dataDir,
    secrets: loadSecrets(dataDir.path),
    environment,
    reporter,
    sources: {
      gateway: `${ROOT}/services/gateway/src/main.ts`,
      presence: `${ROOT}/services/presence/src/main.ts`,
      archiver: `${ROOT}/services/archiver/src/main.ts`,
      newEpochs: `${ROOT}/services/gateway/src/admin/new-epochs.ts`,
      nginxTemplate: `${ROOT}/deploy/nginx.conf`,
    },
  });
  if (stopping) return;
  control = await startControlServer(supervisor.handlers);
  supervisor.setControl({ url: control.url, token: control.token });
  await supervisor.start();
  reporter.line();
  reporter.line(`  ${reporter.paint('strong', 'Maru is ready:')}  ${reporter.paint('strong', supervisor.endpoint)}`);
  reporter.line();
  reporter.line(`  What runs: npm run cluster -- status    Logs: ${dataDir.logs}    End: Ctrl-C`);
  reporter.line();
}

/** Stops all processes and exits. `code` is 0 after a requested stop. */
async function finish(code: number): Promise<void> {
  stopping = true;
  control?.close();
  await supervisor?.stop();
  dataDir?.release();
  process.exit(code);
}

/** Kills all processes and exits, at most a second later. */
function abort(code: number): void {
  const exit = () => {
    dataDir?.release();
    process.exit(code);
  };
  setTimeout(exit, 1_000);
  (supervisor?.killAll() ?? Promise.resolve()).then(exit, exit);
}

onStopSignals({
  stop: (reason) => {
    reporter.line();
    reporter.step('stopping', `(${reason}; repeat to stop at once)`);
    // The final deadline, below the documented 20 s.
    setTimeout(() => abort(1), 18_500).unref();
    finish(0).catch((error: unknown) => {
      reporter.line(describeFailure(error).text);
      abort(1);
    });
  },
  endAtOnce: () => {
    reporter.step('stopping', 'at once');
    abort(130);
  },
});
process.on('uncaughtException', (error) => {
  reporter.line(describeFailure(error).text);
  abort(1);
});

try {
  await start();
} catch (error) {
  // If a signal interrupted the start, the stop is already running.
  if (!stopping) {
    const { text, exitCode } = describeFailure(error);
    reporter.line();
    reporter.line(text);
    await finish(exitCode);
  }
}

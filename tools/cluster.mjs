#!/usr/bin/env node
/**
 * `npm run cluster`: sends a command to the supervisor of a running cluster. It installs and starts
 * nothing, so it answers at once.
 */
import './bootstrap/require-node.mjs';
import { readClusterState } from './bootstrap/cluster-state.mjs';
import { describeFailure, Failure } from './bootstrap/failure.mjs';
import { CLUSTER_HELP, parseClusterCommand } from './bootstrap/options.mjs';

/** @typedef {import('./supervisor/src/members.ts').ProcessView} ProcessView */
/** @typedef {{endpoint: string, processes: ProcessView[]}} Status */

const STATUS_WITHIN_MS = 5_000;

/**
 * @param {string} dataDir
 * @param {'GET' | 'POST'} method
 * @param {string} path
 */
async function ask(dataDir, method, path) {
  const noCluster = `No cluster runs with the data directory ${dataDir}. Start one with: npm start`;
  const control = readClusterState(dataDir)?.control ?? null;
  if (control === null) throw new Failure(noCluster);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`${control.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${control.token}` },
      ...(method === 'GET' ? { signal: AbortSignal.timeout(STATUS_WITHIN_MS) } : {}),
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new Failure(`The supervisor of the cluster did not answer within ${STATUS_WITHIN_MS / 1_000} s.`);
    // The state file is that of a killed supervisor.
    throw new Failure(noCluster);
  }
  // Another program uses the port of a killed supervisor.
  if (response.status === 401 || response.status === 404) throw new Failure(noCluster);
  return response;
}

const STOPPED = 'The cluster stopped before the command finished.';

/**
 * What to throw for an error of reading an answer. `fetch` names a connection that ended within it
 * only by this message.
 * @param {unknown} error
 */
const readError = (error) =>
  error instanceof TypeError && error.message === 'terminated' ? new Failure(STOPPED) : error;

/** @param {ProcessView} view */
function shownAddress({ kind, address }) {
  if (kind !== 'redis' && kind !== 'postgres') return address;
  // Programs that need the password ask with --secrets.
  const url = new URL(address);
  url.password = '';
  url.username = '';
  return url.href;
}

/** @param {Status} status */
function withoutSecrets(status) {
  return { ...status, processes: status.processes.map((view) => ({ ...view, address: shownAddress(view) })) };
}

/** @param {Status} status */
function printStatus(status) {
  const rows = [
    ['NAME', 'STATE', 'PID', 'ADDRESS', 'HEALTH AND METRICS'],
    ...status.processes.map((view) => [
      view.name,
      view.state,
      view.pid === null ? '-' : String(view.pid),
      shownAddress(view),
      view.ops ?? '-',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  console.log(`Maru on ${status.endpoint}\n`);
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/**
 * Prints the progress lines of the supervisor.
 * @param {Response} response
 */
async function follow(response) {
  if (response.body === null) throw new Failure('The supervisor sent no answer.');
  let rest = '';
  try {
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      rest += chunk;
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const message = JSON.parse(line);
        if (typeof message.line === 'string') console.log(message.line);
        if (typeof message.error === 'string') throw new Failure(message.error);
        if (message.done === true) return;
      }
    }
  } catch (error) {
    throw readError(error);
  }
  throw new Failure(STOPPED);
}

try {
  const command = parseClusterCommand(process.argv.slice(2), process.env, process.cwd());
  switch (command.command) {
    case 'help':
      console.log(CLUSTER_HELP);
      break;
    case 'status': {
      const answer = await ask(command.dataDir, 'GET', '/status');
      const status = /** @type {Status} */ (
        await answer.json().catch((error) => {
          throw readError(error);
        })
      );
      if (command.json) console.log(JSON.stringify(command.secrets ? status : withoutSecrets(status), null, 2));
      else printStatus(status);
      break;
    }
    case 'token': {
      const { dataDir, sub, name, role } = command;
      const query = new URLSearchParams({ sub, name, ...(role === null ? {} : { role }) });
      await follow(await ask(dataDir, 'POST', `/token?${query}`));
      break;
    }
    case 'add':
    case 'new-epochs':
      await follow(await ask(command.dataDir, 'POST', `/${command.command}`));
      break;
    default:
      await follow(await ask(command.dataDir, 'POST', `/${command.command}/${command.name}`));
  }
} catch (error) {
  const { text, exitCode } = describeFailure(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}

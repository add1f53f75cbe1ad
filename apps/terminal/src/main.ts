/** The terminal client. `--help` describes its options. */
import { userInfo } from 'node:os';
import { enterAsGuest, readRoom } from '@maru/client/http';
import { HELP, type Options, parseOptions, UsageError } from './options.ts';

const EXIT_USAGE = 2;
/** As of a program that SIGPIPE ended: 128 and its number. */
const EXIT_CLOSED_PIPE = 141;

/** A uid may have no account, as in containers. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || 'guest';
  }
}

async function tokenOf({ url, identity }: Options): Promise<string> {
  if ('token' in identity) return identity.token;
  const entered = await enterAsGuest({ url }, identity.name);
  if (entered.ok) return entered.data.token;
  const why = entered.error.code === 'not_found' ? 'guests are switched off: use MARU_TOKEN' : entered.error.code;
  throw new UsageError(`cannot sign in at ${url}: ${why}`);
}

/** A join creates a missing public room, so check first whether the room exists. */
async function checkRoom({ url, room, mayCreate }: Options, token: string): Promise<void> {
  if (mayCreate) return;
  const found = await readRoom({ url, token }, room);
  if (!found.ok && found.error.code === 'not_found')
    throw new UsageError(`there is no room ${room}, or you may not see it; --create creates it`);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env, accountName);
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  const token = await tokenOf(options);
  await checkRoom(options, token);
  const { url, room, history } = options;
  if (options.isJson) {
    const { runJson } = await import('./json-mode.ts');
    return runJson({ url, room, history, token }, { input: process.stdin, print: (line) => console.log(line) });
  }
  if (!process.stdin.isTTY) throw new UsageError('the input is not a terminal; use --json in pipes');
  const { runScreen } = await import('./run-screen.ts');
  return runScreen({ url, room, history, token });
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT_CLOSED_PIPE);
});
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_USAGE;
}

/** Options of the terminal client. Pure. */
import { parseArgs } from 'node:util';
import { isRoomId } from '@maru/client';

export interface Options {
  /** The public address of the cluster. */
  url: string;
  room: string;
  /** A token, or a name for guest access. */
  identity: { token: string } | { name: string };
  /** Creates the room if it does not exist. */
  mayCreate: boolean;
  /** JSON lines instead of a screen. */
  isJson: boolean;
  /** Number of messages to show first. */
  history: number;
}

export class UsageError extends Error {}

const DEFAULT_URL = 'http://127.0.0.1:8080';
const DEFAULT_ROOM = 'lobby';
const HISTORY_MAX = 200;

export const HELP = `Usage: npm run chat -- [options]

  --url URL        the address of the cluster (default ${DEFAULT_URL}, or MARU_URL)
  --room ROOM      the room to enter first (default ${DEFAULT_ROOM})
  --create         make the room if it does not exist: a typing error makes none
  --name NAME      enter as a guest with this name (default: the name of the account on this machine)
  --token TOKEN    a token instead; better in MARU_TOKEN, because other users see arguments
  --json           lines of JSON instead of a screen: each event is a line of the output, each line of the
                   input is a message, or a JSON object such as {"type":"send","text":"hello"}
  --history COUNT  messages to show first, 0 to ${HISTORY_MAX} (default 50)
  --help           this text

On the screen, /help lists the commands and keys.`;

type Environment = Record<string, string | undefined>;

/**
 * `help` if it is asked for. `accountName` is called only for a guest without a name.
 * @throws UsageError whose message says what to change
 */
export function parseOptions(args: string[], environment: Environment, accountName: () => string): Options | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const url = values.url ?? environment.MARU_URL ?? DEFAULT_URL;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError('--url must begin with http:// or https://');
  const room = values.room ?? DEFAULT_ROOM;
  if (!isRoomId(room)) throw new UsageError('--room takes lower-case letters, digits, dots, hyphens and underscores');
  const history = Number(values.history ?? 50);
  if (!Number.isInteger(history) || history < 0 || history > HISTORY_MAX)
    throw new UsageError(`--history takes a number from 0 to ${HISTORY_MAX}`);
  const token = values.token ?? environment.MARU_TOKEN;
  const identity = token === undefined || token === '' ? { name: values.name ?? accountName() } : { token };
  const mayCreate = values.create === true || room === DEFAULT_ROOM;
  return { url: new URL(url).origin, room, identity, mayCreate, isJson: values.json === true, history };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        url: { type: 'string' },
        room: { type: 'string' },
        name: { type: 'string' },
        token: { type: 'string' },
        create: { type: 'boolean' },
        json: { type: 'boolean' },
        history: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

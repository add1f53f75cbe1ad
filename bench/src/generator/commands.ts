/**
 * The commands from the bench to its load generator, over the channel between the two processes.
 */
import type { Percentiles } from '../measure/histogram.ts';
import type { CheckResult } from './ledger.ts';

export interface Plan {
  endpoints: Array<{ host: string; port: number }>;
  clients: number;
  /** Client i is in room i modulo this. The members of a room are spread over the endpoints. */
  rooms: number;
  /** Signs the clients' tokens. Servers without authentication ignore them. */
  secret: string;
  /** Length of each message text. */
  textBytes: number;
  /** True if the server supports `auth.resume`. Otherwise a client that reconnects joins again. */
  canResume: boolean;
}

/** Totals of all windows. A window lasts from `openWindow` to `closeWindow`. */
export interface WindowFigures {
  seconds: number;
  sent: number;
  deliveries: number;
  /** In µs, from the write of a send to its arrival at each member. */
  deliveryUs: Percentiles;
  /** In µs, from the write of a send to its acknowledgement. */
  ackUs: Percentiles;
  joins: JoinFigures;
  generator: GeneratorFigures;
}

export interface JoinFigures {
  /** From the first connection attempt of a `connect` to its last join. */
  wallMs: number;
  /** In µs, for each client: from the connection attempt to the answer to the join. */
  joinUs: Percentiles;
  /** Joins that the server refused as retryable and the client repeated. */
  retries: number;
}

export interface GeneratorFigures {
  /** Share of one core. */
  cpuShare: number;
  /** Share of the time in which the event loop was busy. */
  loopShare: number;
  /** In µs, from a send's scheduled time to its write. */
  latenessUs: Percentiles;
}

/** Each command with its input and its output. */
export interface Commands {
  plan: { input: Plan; output: null };
  connect: { input: { from: number; to: number; concurrency: number; resume: boolean }; output: null };
  close: { input: { from: number; to: number; abruptly: boolean }; output: null };
  send: { input: { perSecond: number; burst: number; senders: number }; output: null };
  stopSending: { input: null; output: null };
  openWindow: { input: null; output: null };
  closeWindow: { input: null; output: null };
  figures: { input: null; output: WindowFigures };
  /** Stops sending and waits for missing deliveries until none arrives for `timeoutMs`. */
  settle: { input: { timeoutMs: number }; output: CheckResult };
}
export type CommandName = keyof Commands;

export interface Request {
  id: number;
  name: CommandName;
  input: unknown;
}
export type Response = { id: number } & ({ output: unknown } | { error: string });

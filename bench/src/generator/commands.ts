/** What the bench asks of its load generator, over the channel between the two processes. */
import type { Percentiles } from '../measure/histogram.ts';
import type { Verdict } from './ledger.ts';

export interface Plan {
  endpoints: Array<{ host: string; port: number }>;
  clients: number;
  /** Client i is in room i modulo this; members of a room take turns over the endpoints. */
  rooms: number;
  /** Signs the clients' tokens; servers that ask for none ignore them. */
  secret: string;
  /** Length of every text. */
  textBytes: number;
  /** Whether the server has rooms in `auth.resume`; with others a client that comes back joins anew. */
  canResume: boolean;
}

/** What was seen between each `open` and its `shut`, together. */
export interface WindowFigures {
  seconds: number;
  sent: number;
  deliveries: number;
  /** From the write of a send to its arrival at each member, and to its acknowledgement, in µs. */
  deliveryUs: Percentiles;
  ackUs: Percentiles;
  joins: JoinFigures;
  generator: GeneratorFigures;
}

export interface JoinFigures {
  /** From the first dial of a crowd to its last join. */
  wallMs: number;
  /** From the dial to the answer to the join, of each client, in µs. */
  joinUs: Percentiles;
  /** Joins that were refused for the moment and asked again. */
  putOff: number;
}

export interface GeneratorFigures {
  /** Share of one core. */
  cpuShare: number;
  /** Share of the time in which its event loop was at work. */
  loopShare: number;
  /** How late sends went out, in µs. */
  latenessUs: Percentiles;
}

/** Each command with its answer. */
export interface Commands {
  plan: { ask: Plan; answer: null };
  connect: { ask: { from: number; to: number; concurrency: number; resume: boolean }; answer: null };
  close: { ask: { from: number; to: number; abruptly: boolean }; answer: null };
  send: { ask: { perSecond: number; burst: number; senders: number }; answer: null };
  /** Sends no more. */
  pause: { ask: null; answer: null };
  open: { ask: null; answer: null };
  shut: { ask: null; answer: null };
  figures: { ask: null; answer: WindowFigures };
  /** Sends no more, and waits for what is still to come. */
  settle: { ask: { patienceMs: number }; answer: Verdict };
}
export type CommandName = keyof Commands;

export interface Request {
  id: number;
  name: CommandName;
  ask: unknown;
}
export type Response = { id: number } & ({ answer: unknown } | { error: string });

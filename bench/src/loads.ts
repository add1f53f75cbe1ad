/** The loads: where clients connect, and what they send. */

interface LoadBase {
  name: string;
  title: string;
  clients: number;
  rooms: number;
  nodes: number;
  /** Clients connect to the first nodes only. The others have no members. */
  nodesWithMembers: number;
  /** Clients connect through nginx, not directly to the nodes. */
  edge: boolean;
  /** Only Maru is measured. The load is for the capacity guide, not for the comparison. */
  maruOnly: boolean;
}

/** Messages at a constant rate, with all clients connected. */
export interface SteadyLoad extends LoadBase {
  kind: 'steady';
  /** Messages per second in all rooms together. */
  perSecond: number;
  /** Messages sent at the same moment in one room, each by another member. */
  burst: number;
  /**
   * The warm-up multiplies the rate by this. V8 compiles a function after a number of calls, not
   * after a time.
   */
  warmUpFactor: number;
}
/** All clients have joined and are silent. */
export interface IdleLoad extends LoadBase {
  kind: 'idle';
}
/** All clients connect at once. The server processes are warm. */
export interface ConnectLoad extends LoadBase {
  kind: 'connect';
  /** Simultaneous connection attempts. */
  concurrency: number;
}
/** Most clients lose their connections at once, miss messages, and reconnect. */
export interface ResumeLoad extends LoadBase {
  kind: 'resume';
  concurrency: number;
  /** Messages that a client misses in its room. */
  missed: number;
}
export type Load = SteadyLoad | IdleLoad | ConnectLoad | ResumeLoad;

export interface Pace {
  warmUpMs: number;
  measureMs: number;
  /** Parts of `measureMs`. The variants take turns, one part each. */
  slices: number;
  /** Pause between connecting and the memory reading. */
  restMs: number;
  /** Divides the number of clients of loads with many connections. */
  divisor: number;
}

/**
 * The measurement lasts one ping interval of Engine.IO (25 s). Clients that connected together are
 * pinged together, so a shorter one would contain all pings or none. It has five parts, in turns
 * with the other variants, because the speed of shared processors changes by a third within
 * minutes.
 *
 * The warm-up lasts 60 s. After 12 s V8 still compiles the code of a message, which would be
 * measured.
 */
export const FULL: Pace = { warmUpMs: 60_000, measureMs: 25_000, slices: 5, restMs: 3_000, divisor: 1 };
export const QUICK: Pace = { warmUpMs: 1_500, measureMs: 2_500, slices: 2, restMs: 1_000, divisor: 5 };

const TWO = { nodes: 2, nodesWithMembers: 2, edge: false, maruOnly: false };
const QUIET = { kind: 'steady' as const, clients: 500, rooms: 10, perSecond: 100, burst: 1, warmUpFactor: 8 };
const BUSY = { kind: 'steady' as const, clients: 500, rooms: 2, perSecond: 160, burst: 1, warmUpFactor: 1 };

export function loadsAt({ divisor }: Pace): Load[] {
  const scaled = (count: number) => Math.round(count / divisor);
  const many = { clients: scaled(2_000), rooms: scaled(40), concurrency: 100 };
  return [
    { name: 'quiet', title: 'rooms of 50, 100 messages per second', ...TWO, ...QUIET },
    { name: 'busy', title: 'rooms of 250, 160 messages per second', ...TWO, ...BUSY },
    { name: 'burst', title: 'rooms of 250, 160 messages per second, 8 at a time', ...TWO, ...BUSY, burst: 8 },
    {
      name: 'idle',
      title: `${scaled(4_000)} silent connections on one node, rooms of 50`,
      kind: 'idle',
      ...TWO,
      clients: scaled(4_000),
      rooms: scaled(80),
      nodes: 1,
      nodesWithMembers: 1,
    },
    {
      name: 'connect',
      title: `${many.clients} connect and join, 100 at a time, rooms of 50`,
      kind: 'connect',
      ...TWO,
      ...many,
    },
    {
      name: 'resume',
      title: `${many.clients} reconnect, 100 at a time, after missing 20 messages each; rooms of 50`,
      kind: 'resume',
      ...TWO,
      ...many,
      missed: 20,
    },
    {
      name: 'large',
      title: `one room of ${scaled(5_000)}, 4 messages per second`,
      kind: 'steady',
      ...TWO,
      clients: scaled(5_000),
      rooms: 1,
      perSecond: 4,
      burst: 1,
      warmUpFactor: 1,
    },
    {
      name: 'spread',
      title: '8 nodes, members on 2 of them; rooms of 250, 160 messages per second',
      ...TWO,
      ...BUSY,
      nodes: 8,
    },
    {
      name: 'wide',
      title: '8 nodes, members on all; rooms of 50, 100 messages per second',
      ...TWO,
      ...QUIET,
      warmUpFactor: 2,
      nodes: 8,
      nodesWithMembers: 8,
      maruOnly: true,
    },
    {
      name: 'check',
      title: '4 nodes, rooms of 100, 120 messages per second',
      ...TWO,
      ...QUIET,
      warmUpFactor: 2,
      rooms: 5,
      perSecond: 120,
      nodes: 4,
      nodesWithMembers: 4,
      maruOnly: true,
    },
    {
      name: 'edge',
      title: 'through nginx; rooms of 50, 100 messages per second',
      ...TWO,
      ...QUIET,
      warmUpFactor: 4,
      edge: true,
      maruOnly: true,
    },
    {
      name: 'edge-connect',
      title: `through nginx; ${many.clients} connect and join, 100 at a time`,
      kind: 'connect',
      ...TWO,
      ...many,
      edge: true,
      maruOnly: true,
    },
  ];
}

/** The loads: who is connected where, and what is sent. */

interface Place {
  name: string;
  title: string;
  clients: number;
  rooms: number;
  nodes: number;
  /** The first so many nodes have the clients. */
  nodesWithMembers: number;
  /** Clients come through nginx instead of to the nodes themselves. */
  edge: boolean;
  /** Only ours is measured: it is for the capacity guide, not for a comparison. */
  oursOnly: boolean;
}

/** Messages at a steady pace, everybody connected. */
export interface SteadyLoad extends Place {
  kind: 'steady';
  /** In all rooms together. */
  perSecond: number;
  /** So many at the same moment in one room, each by another member. */
  burst: number;
  /** While processes are warmed up, so many times as much is sent: what V8 compiles is compiled after so many calls, not after so long. */
  warmUpTimes: number;
}
/** Connected, joined and silent. */
export interface IdleLoad extends Place {
  kind: 'idle';
}
/** All come at once, to warm processes. */
export interface ConnectLoad extends Place {
  kind: 'connect';
  /** Connecting at the same time. */
  concurrency: number;
}
/** All lose their connections at once, miss messages, and come back. */
export interface ResumeLoad extends Place {
  kind: 'resume';
  concurrency: number;
  /** Messages of each room that are missed. */
  missed: number;
}
export type Load = SteadyLoad | IdleLoad | ConnectLoad | ResumeLoad;

export interface Pace {
  warmUpMs: number;
  measureMs: number;
  /** Parts in which that is measured, the variants in turns. */
  slices: number;
  /** Between connecting and looking at memory. */
  restMs: number;
  /** Crowds are divided by this where the number of connections is what makes a load heavy. */
  divisor: number;
}

/**
 * Measured is one heartbeat of Engine.IO (25 s): clients that connected together are pinged together, in a shorter window all of them or none. It is
 * measured in five parts, in turns with the other variants, because processors that are shared with others differ by a third from one minute to the next.
 * After 12 s of warming V8 is still compiling what a message needs, and does so within the figures; after 60 s hardly anything is left of that.
 */
export const FULL: Pace = { warmUpMs: 60_000, measureMs: 25_000, slices: 5, restMs: 3_000, divisor: 1 };
export const QUICK: Pace = { warmUpMs: 1_500, measureMs: 2_500, slices: 2, restMs: 1_000, divisor: 5 };

const TWO = { nodes: 2, nodesWithMembers: 2, edge: false, oursOnly: false };
const QUIET = { kind: 'steady' as const, clients: 500, rooms: 10, perSecond: 100, burst: 1, warmUpTimes: 8 };
const BUSY = { kind: 'steady' as const, clients: 500, rooms: 2, perSecond: 160, burst: 1, warmUpTimes: 1 };

export function loadsAt({ divisor }: Pace): Load[] {
  const crowd = (count: number) => Math.round(count / divisor);
  const storm = { clients: crowd(2_000), rooms: crowd(40), concurrency: 100 };
  return [
    { name: 'quiet', title: 'rooms of 50, 100 messages a second', ...TWO, ...QUIET },
    { name: 'busy', title: 'rooms of 250, 160 messages a second', ...TWO, ...BUSY },
    { name: 'burst', title: 'rooms of 250, 160 messages a second, 8 at a time', ...TWO, ...BUSY, burst: 8 },
    {
      name: 'idle',
      title: `${crowd(4_000)} silent connections on one node, rooms of 50`,
      kind: 'idle',
      ...TWO,
      clients: crowd(4_000),
      rooms: crowd(80),
      nodes: 1,
      nodesWithMembers: 1,
    },
    {
      name: 'connect',
      title: `${storm.clients} connect and join, 100 at a time, rooms of 50`,
      kind: 'connect',
      ...TWO,
      ...storm,
    },
    {
      name: 'resume',
      title: `${storm.clients} come back, 100 at a time, each having missed 20 messages of a room of 50`,
      kind: 'resume',
      ...TWO,
      ...storm,
      missed: 20,
    },
    {
      name: 'large',
      title: `one room of ${crowd(5_000)}, 4 messages a second`,
      kind: 'steady',
      ...TWO,
      clients: crowd(5_000),
      rooms: 1,
      perSecond: 4,
      burst: 1,
      warmUpTimes: 1,
    },
    {
      name: 'spread',
      title: '8 nodes, 2 of them with all members; rooms of 250, 160 messages a second',
      ...TWO,
      ...BUSY,
      nodes: 8,
    },
    {
      name: 'wide',
      title: '8 nodes, members on all of them; rooms of 50, 100 messages a second',
      ...TWO,
      ...QUIET,
      warmUpTimes: 2,
      nodes: 8,
      nodesWithMembers: 8,
      oursOnly: true,
    },
    {
      name: 'check',
      title: '4 nodes, rooms of 100, 120 messages a second',
      ...TWO,
      ...QUIET,
      warmUpTimes: 2,
      rooms: 5,
      perSecond: 120,
      nodes: 4,
      nodesWithMembers: 4,
      oursOnly: true,
    },
    {
      name: 'edge',
      title: 'through nginx; rooms of 50, 100 messages a second',
      ...TWO,
      ...QUIET,
      warmUpTimes: 4,
      edge: true,
      oursOnly: true,
    },
    {
      name: 'edge-connect',
      title: `through nginx; ${storm.clients} connect and join, 100 at a time`,
      kind: 'connect',
      ...TWO,
      ...storm,
      edge: true,
      oursOnly: true,
    },
  ];
}

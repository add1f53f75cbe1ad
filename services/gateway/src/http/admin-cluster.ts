/** Calls of administrators about the whole cluster: nodes, users, rooms, reports and settings. */
import { httpSchemas, LIMITS, MaruError, parsePayload, userId } from '@maru/protocol';
import { type BusyRoom, mergeRooms } from '../nodes/busy-rooms.ts';
import { mergeUsers, type SessionOnNode, type UserOnNode, type UsersQuery } from '../nodes/online-users.ts';
import type { Questions } from '../nodes/questions.ts';
import type { NodeReports } from '../nodes/reports.ts';
import type { ShownSetting } from '../nodes/shown-settings.ts';
import type { GiveOrder } from '../revocation/audited-orders.ts';
import type { ReportedRooms } from '../rooms/reported-rooms.ts';
import type { RoomsOfCluster } from '../rooms/rooms-of-cluster.ts';
import { administrators, type Callers, type Route } from './calls.ts';

export interface AdminClusterDeps extends Callers {
  node: string;
  giveOrder: GiveOrder;
  nodes: Pick<NodeReports, 'all'>;
  questions: Pick<Questions, 'ask'>;
  roomsOfCluster: RoomsOfCluster;
  reportedRooms: Pick<ReportedRooms, 'list'>;
  /** The ids of the rooms in the user's list. */
  roomsOf: (userId: string) => Promise<string[]>;
  /** When the user was revoked, in milliseconds of the store's clock. */
  revokedAt: (userId: string) => number | undefined;
  settings: () => ShownSetting[];
}

export const adminClusterRoutes = (deps: AdminClusterDeps): Route[] => [
  ...nodeRoutes(deps),
  ...userRoutes(deps),
  ...roomRoutes(deps),
];

function nodeRoutes(deps: AdminClusterDeps): Route[] {
  const { nodes, giveOrder } = deps;
  const admin = administrators(deps);
  const checkNode = async (name: string): Promise<void> => {
    const reports = await nodes.all();
    if (!reports.some(({ node }) => node === name)) throw new MaruError('not_found', 'there is no such node');
  };
  const toNode = (kind: 'drain' | 'rebalance'): Route => ({
    method: 'POST',
    path: `/admin/nodes/{node}/${kind}`,
    handler: admin(async (request, response, { user }) => {
      const node = parsePayload(httpSchemas.node, request.params.node);
      await checkNode(node);
      await giveOrder(kind, node, { action: `node.${kind}`, by: user.id, node });
      response.json({});
    }),
  });
  return [
    {
      method: 'GET',
      path: '/admin/nodes',
      handler: admin(async (_request, response) => void response.json({ nodes: await nodes.all() })),
    },
    toNode('drain'),
    toNode('rebalance'),
    {
      method: 'POST',
      path: '/admin/announcements',
      handler: admin(async (request, response, { user }) => {
        const { text } = parsePayload(httpSchemas.announcement, request.body ?? {});
        // The audit holds no texts of messages, but this one is an act of an administrator.
        await giveOrder('announce', text, { action: 'announcement', by: user.id, reason: text });
        response.json({});
      }),
    },
    {
      method: 'GET',
      path: '/admin/settings',
      handler: admin(async (_request, response) => void response.json({ node: deps.node, settings: deps.settings() })),
    },
  ];
}

function userRoutes(deps: AdminClusterDeps): Route[] {
  const admin = administrators(deps);
  const ask = <A>(kind: string, query: unknown) => askAll<A>(deps, kind, query);
  return [
    {
      method: 'GET',
      path: '/admin/users',
      handler: admin(async (request, response) => {
        const {
          q = '',
          cursor = '',
          limit = LIMITS.pageEntriesDefault,
        } = parsePayload(httpSchemas.users, request.query);
        const query: UsersQuery = { contains: q, after: cursor, limit };
        const { answers, missing } = await ask<UserOnNode[]>('users', query);
        response.json({ ...mergeUsers(answers, limit), missing });
      }),
    },
    {
      method: 'GET',
      path: '/admin/users/{id}',
      handler: admin(async (request, response) => {
        const id = parsePayload(userId, request.params.id);
        const [{ answers, missing }, rooms] = await Promise.all([
          ask<SessionOnNode[]>('sessions', id),
          deps.roomsOf(id),
        ]);
        const connections = answers.flatMap(({ node, answer }) => answer.map((one) => ({ node, ...one })));
        const revokedTs = deps.revokedAt(id);
        response.json({ id, connections, rooms, ...(revokedTs === undefined ? {} : { revokedTs }), missing });
      }),
    },
  ];
}

function roomRoutes(deps: AdminClusterDeps): Route[] {
  const { roomsOfCluster, reportedRooms } = deps;
  const admin = administrators(deps);
  const busiest = async (limit: number) => {
    const { answers, missing } = await askAll<BusyRoom[]>(deps, 'rooms', limit);
    const busy = mergeRooms(
      answers.map(({ answer }) => answer),
      limit,
    );
    const known = new Map(busy.map((one) => [one.room, one]));
    const rooms = await roomsOfCluster.read(busy.map(({ room }) => room));
    return { rooms: rooms.map((room) => ({ ...room, ...known.get(room.room) })), missing };
  };
  return [
    {
      method: 'GET',
      path: '/admin/rooms',
      handler: admin(async (request, response) => {
        const {
          q = '',
          order = 'id',
          cursor,
          limit = LIMITS.pageEntriesDefault,
        } = parsePayload(httpSchemas.roomsOfCluster, request.query);
        const page = order === 'activity' ? busiest(limit) : roomsOfCluster.page({ prefix: q, cursor, limit });
        response.json(await page);
      }),
    },
    {
      method: 'GET',
      path: '/admin/reports',
      handler: admin(async (request, response) => {
        const { limit = LIMITS.pageEntriesDefault } = parsePayload(httpSchemas.reportedRooms, request.query);
        response.json({ rooms: await reportedRooms.list(limit) });
      }),
    },
  ];
}

async function askAll<A>({ nodes, questions }: AdminClusterDeps, kind: string, query: unknown) {
  const reports = await nodes.all();
  return questions.ask<A>(
    kind,
    query,
    reports.map(({ node }) => node),
  );
}

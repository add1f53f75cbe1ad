/** From measured costs to processes: the arithmetic of docs/capacity.md. Pure. */
import type { FigureKey, Figures } from '../figures.ts';
import type { Report } from '../report/report.ts';

/** What the measurements say, of ours. CPU in µs, memory in kB. */
export interface Costs {
  /** Of the gateways, a message: once, for each node that has members of its room, and for each member. */
  message: number;
  messageNode: number;
  delivery: number;
  /** Of the gateways, a connection that comes (connect and join), and a silent one each second. */
  connect: number;
  idlePerSecond: number;
  /** A node that does nothing, each second. */
  nodePerSecond: number;
  kbPerConnection: number;
  /** Of Redis, a message: once, and for each node that has members; a node that does nothing, each second; a connection that comes. */
  redisMessage: number;
  redisMessageNode: number;
  redisNodePerSecond: number;
  redisConnect: number;
  /** Of presence, a connection that comes. */
  presenceConnect: number;
  /** Of nginx; undefined where it was not measured. */
  edgeDelivery: number | undefined;
  edgeConnect: number | undefined;
}

/** Which nodes and members a message of a load goes to. */
interface Reach {
  nodes: number;
  members: number;
}

/** The summaries of a bench, and the shapes of its loads. */
export type Measured = Pick<Report, 'loads' | 'summaries'>;

const ours = ({ summaries }: Measured, load: string): Figures =>
  summaries.find((of) => of.load === load && of.variant === 'maru' && of.runs > of.voidRuns)?.figures ?? {};

function shapeOf({ loads }: Measured, name: string): Report['loads'][number] {
  const load = loads.find((of) => of.name === name);
  if (load === undefined) throw new Error(`the capacity guide needs the load ${name}`);
  return load;
}

function reachOf(measured: Measured, name: string): Reach {
  const { clients, rooms, nodesWithMembers } = shapeOf(measured, name);
  return { nodes: nodesWithMembers, members: clients / rooms };
}

/**
 * Solves what a message costs from the loads quiet, busy and wide (three equations, three unknowns) and reads the others off.
 * @throws where a load that is needed was not measured, naming it
 */
export function costsOf(measured: Measured): Costs {
  const need = (load: string, key: FigureKey): number => {
    const value = ours(measured, load)[key];
    if (value === undefined) throw new Error(`the capacity guide needs ${key} of maru under the load ${load}`);
    return value;
  };
  // What the loads measured holds what a node costs that does nothing.
  const nodePerSecond = need('spread', 'bystanderCpuPercent') * US_PER_PERCENT;
  const redisNodePerSecond = redisOfIdleNode(measured, need);
  const [quiet, busy, wide] = ['quiet', 'busy', 'wide'].map((name) => {
    const reach = reachOf(measured, name);
    const nodeSecondsPerMessage = reach.nodes / need(name, 'messagesPerSecond');
    return {
      ...reach,
      us: need(name, 'gatewayUsPerMessage') - nodePerSecond * nodeSecondsPerMessage,
      redisUs: need(name, 'redisUsPerMessage') - redisNodePerSecond * nodeSecondsPerMessage,
    };
  }) as [Point, Point, Point];
  const delivery = (busy.us - quiet.us) / (busy.members - quiet.members);
  const messageNode = (wide.us - quiet.us) / (wide.nodes - quiet.nodes);
  const redisMessageNode = Math.max(0, (wide.redisUs - quiet.redisUs) / (wide.nodes - quiet.nodes));
  return {
    message: quiet.us - messageNode * quiet.nodes - delivery * quiet.members,
    messageNode,
    delivery,
    connect: need('connect', 'gatewayUsPerConnection'),
    idlePerSecond:
      Math.max(0, need('idle', 'idleCpuPercent') * US_PER_PERCENT - nodePerSecond) / shapeOf(measured, 'idle').clients,
    nodePerSecond,
    kbPerConnection: need('idle', 'kbPerConnection'),
    redisMessage: quiet.redisUs - redisMessageNode * quiet.nodes,
    redisMessageNode,
    redisNodePerSecond,
    redisConnect: need('connect', 'redisUsPerConnection'),
    presenceConnect: need('connect', 'presenceUsPerConnection'),
    edgeDelivery: ours(measured, 'edge').edgeUsPerDelivery,
    edgeConnect: ours(measured, 'edge-connect').edgeUsPerConnection,
  };
}

/**
 * What the nodes without members of `spread` add to `busy`, the same load without them. An idle Redis would tell too much: each of the few commands that
 * it gets wakes it.
 */
function redisOfIdleNode(measured: Measured, need: (load: string, key: FigureKey) => number): number {
  const perSecond = (load: string) => need(load, 'redisUsPerMessage') * need(load, 'messagesPerSecond');
  const { nodes, nodesWithMembers } = shapeOf(measured, 'spread');
  return Math.max(0, (perSecond('spread') - perSecond('busy')) / (nodes - nodesWithMembers));
}

type Point = Reach & { us: number; redisUs: number };

/** One per cent of a core for a second, in µs. */
const US_PER_PERCENT = 10_000;

/** What people do. */
export interface Habits {
  roomMembers: number;
  /** Of each connection. */
  secondsBetweenMessages: number;
  /** How long a connection lasts. */
  connectionLifeS: number;
}

/** How full a machine may be planned. */
export const PLAN = {
  /** Share of its core that a process may need at the busiest hour: the rest is for bursts, and for clients of a node that died. */
  coreShareMax: 0.5,
  /** So many connections come back within `returnS` when a gateway dies. */
  connectionsPerGatewayMax: 10_000,
  gatewaysMin: 2,
  /** One more than is needed, so that one may die or be replaced. */
  spareGateways: 1,
  /** Redis and nginx are planned by the same share of a core; Redis executes on one. */
} as const;

export interface Need {
  connections: number;
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  gateways: number;
  gatewayCores: number;
  /** Of all gateways, for connections alone. */
  memoryGiB: number;
  redisShards: number;
  redisCores: number;
  presenceCores: number;
  nginxWorkers: number | undefined;
}

/** Nodes that have a member of a room, on average, when members are spread by chance. */
export const nodesOfRoom = (gateways: number, members: number): number =>
  gateways * (1 - (1 - 1 / gateways) ** members);

export function gatewayUsOfMessage(costs: Costs, to: Reach): number {
  return costs.message + costs.messageNode * to.nodes + costs.delivery * to.members;
}

const redisUsOfMessage = (costs: Costs, nodes: number): number => costs.redisMessage + costs.redisMessageNode * nodes;

const ROUNDS_MAX = 100;

export function needOf(costs: Costs, habits: Habits, connections: number): Need {
  const messagesPerSecond = connections / habits.secondsBetweenMessages;
  const deliveriesPerSecond = messagesPerSecond * habits.roomMembers;
  const comingPerSecond = connections / habits.connectionLifeS;
  const cores = (usPerSecond: number) => usPerSecond / 1_000_000;
  const processes = (used: number) => Math.max(1, Math.ceil(used / PLAN.coreShareMax));
  let gateways: number = PLAN.gatewaysMin;
  let gatewayCores = 0;
  // More gateways make each message dearer, so the number is looked for until it stands.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const room = { nodes: nodesOfRoom(gateways, habits.roomMembers), members: habits.roomMembers };
    gatewayCores = cores(
      messagesPerSecond * gatewayUsOfMessage(costs, room) +
        connections * costs.idlePerSecond +
        comingPerSecond * costs.connect +
        gateways * costs.nodePerSecond,
    );
    const wanted = Math.max(processes(gatewayCores), Math.ceil(connections / PLAN.connectionsPerGatewayMax));
    const next = Math.max(PLAN.gatewaysMin, wanted + PLAN.spareGateways);
    if (next <= gateways) break;
    gateways = next;
  }
  const roomNodes = nodesOfRoom(gateways, habits.roomMembers);
  const redisCores = cores(
    messagesPerSecond * redisUsOfMessage(costs, roomNodes) +
      comingPerSecond * costs.redisConnect +
      gateways * costs.redisNodePerSecond,
  );
  const edgeCores =
    costs.edgeDelivery === undefined || costs.edgeConnect === undefined
      ? undefined
      : cores(deliveriesPerSecond * costs.edgeDelivery + comingPerSecond * costs.edgeConnect);
  return {
    connections,
    messagesPerSecond,
    deliveriesPerSecond,
    gateways,
    gatewayCores,
    memoryGiB: (connections * costs.kbPerConnection) / 1_048_576,
    redisShards: processes(redisCores),
    redisCores,
    presenceCores: cores(comingPerSecond * costs.presenceConnect),
    nginxWorkers: edgeCores === undefined ? undefined : processes(edgeCores),
  };
}

/** The point that was not used, as the formula says it and as it was measured; undefined where it was not measured. */
export function checkPoint(costs: Costs, measured: Measured) {
  const { gatewayUsPerMessage, redisUsPerMessage, messagesPerSecond } = ours(measured, 'check');
  if (gatewayUsPerMessage === undefined || redisUsPerMessage === undefined || messagesPerSecond === undefined)
    return undefined;
  const reach = reachOf(measured, 'check');
  const nodeSecondsPerMessage = reach.nodes / messagesPerSecond;
  return {
    reach,
    gatewayUs: {
      predicted: gatewayUsOfMessage(costs, reach) + costs.nodePerSecond * nodeSecondsPerMessage,
      measured: gatewayUsPerMessage,
    },
    redisUs: {
      predicted: redisUsOfMessage(costs, reach.nodes) + costs.redisNodePerSecond * nodeSecondsPerMessage,
      measured: redisUsPerMessage,
    },
  };
}

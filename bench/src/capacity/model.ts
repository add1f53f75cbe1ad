/** Calculates the size of a cluster from measured costs: the formulas of docs/capacity.md. Pure. */
import type { FigureKey, Figures } from '../figures.ts';
import type { Report } from '../report/report.ts';

/** Measured costs of Maru. CPU in µs, memory in kB. */
export interface Costs {
  /** Gateway CPU per message, independent of its members. */
  message: number;
  /** Gateway CPU per message and node with members of the room. */
  messageNode: number;
  /** Gateway CPU per message and member. */
  delivery: number;
  /** Gateway CPU per connect and join. */
  connect: number;
  /** Gateway CPU per second of a silent connection. */
  idlePerSecond: number;
  /** Gateway CPU per second of an idle node. */
  nodePerSecond: number;
  kbPerConnection: number;
  /** Redis CPU per message, independent of its nodes. */
  redisMessage: number;
  /** Redis CPU per message and node with members of the room. */
  redisMessageNode: number;
  /** Redis CPU per second of an idle node. */
  redisNodePerSecond: number;
  /** Redis CPU per connect and join. */
  redisConnect: number;
  /** Presence CPU per connect and join. */
  presenceConnect: number;
  /** nginx CPU per delivery; undefined if not measured. */
  edgeDelivery: number | undefined;
  /** nginx CPU per connection; undefined if not measured. */
  edgeConnect: number | undefined;
}

/** The number of nodes and members that a message goes to. */
interface Fanout {
  nodes: number;
  members: number;
}

/** The part of a report that the model needs. */
export type Measured = Pick<Report, 'loads' | 'summaries'>;

const figuresOf = ({ summaries }: Measured, load: string): Figures =>
  summaries.find((each) => each.load === load && each.variant === 'maru' && each.runs > each.voidRuns)?.figures ?? {};

function shapeOf({ loads }: Measured, name: string): Report['loads'][number] {
  const load = loads.find((each) => each.name === name);
  if (load === undefined) throw new Error(`the capacity guide needs the load ${name}`);
  return load;
}

function fanoutOf(measured: Measured, name: string): Fanout {
  const { clients, rooms, nodesWithMembers } = shapeOf(measured, name);
  return { nodes: nodesWithMembers, members: clients / rooms };
}

/**
 * Solves three equations (loads `quiet`, `busy` and `wide`) for the three gateway costs of a
 * message. Takes the other costs directly from a load.
 * @throws if a needed load was not measured
 */
export function costsOf(measured: Measured): Costs {
  const figure = (load: string, key: FigureKey): number => {
    const value = figuresOf(measured, load)[key];
    if (value === undefined) throw new Error(`the capacity guide needs ${key} of maru under the load ${load}`);
    return value;
  };
  // The CPU of a load includes what its nodes use when idle, so the idle cost is subtracted.
  const nodePerSecond = figure('spread', 'bystanderCpuPercent') * US_PER_PERCENT;
  const redisNodePerSecond = redisUsOfIdleNode(measured, figure);
  const [quiet, busy, wide] = ['quiet', 'busy', 'wide'].map((name) => {
    const fanout = fanoutOf(measured, name);
    const nodeSecondsPerMessage = fanout.nodes / figure(name, 'messagesPerSecond');
    return {
      ...fanout,
      us: figure(name, 'gatewayUsPerMessage') - nodePerSecond * nodeSecondsPerMessage,
      redisUs: figure(name, 'redisUsPerMessage') - redisNodePerSecond * nodeSecondsPerMessage,
    };
  }) as [Point, Point, Point];
  const delivery = (busy.us - quiet.us) / (busy.members - quiet.members);
  const messageNode = (wide.us - quiet.us) / (wide.nodes - quiet.nodes);
  const redisMessageNode = Math.max(0, (wide.redisUs - quiet.redisUs) / (wide.nodes - quiet.nodes));
  return {
    message: quiet.us - messageNode * quiet.nodes - delivery * quiet.members,
    messageNode,
    delivery,
    connect: figure('connect', 'gatewayUsPerConnection'),
    idlePerSecond:
      Math.max(0, figure('idle', 'idleCpuPercent') * US_PER_PERCENT - nodePerSecond) /
      shapeOf(measured, 'idle').clients,
    nodePerSecond,
    kbPerConnection: figure('idle', 'kbPerConnection'),
    redisMessage: quiet.redisUs - redisMessageNode * quiet.nodes,
    redisMessageNode,
    redisNodePerSecond,
    redisConnect: figure('connect', 'redisUsPerConnection'),
    presenceConnect: figure('connect', 'presenceUsPerConnection'),
    edgeDelivery: figuresOf(measured, 'edge').edgeUsPerDelivery,
    edgeConnect: figuresOf(measured, 'edge-connect').edgeUsPerConnection,
  };
}

/**
 * The cost of an idle node: the difference between `spread` and `busy`, the same load without idle
 * nodes. Measured on a Redis without other load it would be too high, because each command wakes
 * Redis up.
 */
function redisUsOfIdleNode(measured: Measured, figure: (load: string, key: FigureKey) => number): number {
  const perSecond = (load: string) => figure(load, 'redisUsPerMessage') * figure(load, 'messagesPerSecond');
  const { nodes, nodesWithMembers } = shapeOf(measured, 'spread');
  return Math.max(0, (perSecond('spread') - perSecond('busy')) / (nodes - nodesWithMembers));
}

type Point = Fanout & { us: number; redisUs: number };

/** One percent of a core during one second, in µs. */
const US_PER_PERCENT = 10_000;

/** How users behave. */
export interface UserBehaviour {
  roomMembers: number;
  /** Time between two messages of one connection. */
  secondsBetweenMessages: number;
  /** Average duration of a connection. */
  connectionDurationS: number;
}

/** Limits for planning. */
export const PLAN = {
  /**
   * Share of a core that one process (gateway, Redis, nginx) may use in the busiest hour. The rest
   * is for bursts and for clients of a failed node.
   */
  coreShareMax: 0.5,
  /** All connections of a gateway reconnect to the others when it fails. */
  connectionsPerGatewayMax: 10_000,
  gatewaysMin: 2,
  /** Allows one gateway to fail or restart. */
  spareGateways: 1,
} as const;

export interface ClusterSize {
  connections: number;
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  gateways: number;
  gatewayCores: number;
  /** Memory for the connections of all gateways. */
  memoryGiB: number;
  redisShards: number;
  redisCores: number;
  presenceCores: number;
  nginxWorkers: number | undefined;
}

/** Average number of nodes with a member of a room, if members are spread randomly. */
export const nodesOfRoom = (gateways: number, members: number): number =>
  gateways * (1 - (1 - 1 / gateways) ** members);

export function gatewayUsOfMessage(costs: Costs, fanout: Fanout): number {
  return costs.message + costs.messageNode * fanout.nodes + costs.delivery * fanout.members;
}

const redisUsOfMessage = (costs: Costs, nodes: number): number => costs.redisMessage + costs.redisMessageNode * nodes;

const ITERATIONS_MAX = 100;

export function sizeCluster(costs: Costs, behaviour: UserBehaviour, connections: number): ClusterSize {
  const messagesPerSecond = connections / behaviour.secondsBetweenMessages;
  const deliveriesPerSecond = messagesPerSecond * behaviour.roomMembers;
  const connectsPerSecond = connections / behaviour.connectionDurationS;
  const cores = (usPerSecond: number) => usPerSecond / 1_000_000;
  const processes = (used: number) => Math.max(1, Math.ceil(used / PLAN.coreShareMax));
  let gateways: number = PLAN.gatewaysMin;
  let gatewayCores = 0;
  // More gateways increase the cost of each message, so iterate until the number is stable.
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    const room = { nodes: nodesOfRoom(gateways, behaviour.roomMembers), members: behaviour.roomMembers };
    gatewayCores = cores(
      messagesPerSecond * gatewayUsOfMessage(costs, room) +
        connections * costs.idlePerSecond +
        connectsPerSecond * costs.connect +
        gateways * costs.nodePerSecond,
    );
    const wanted = Math.max(processes(gatewayCores), Math.ceil(connections / PLAN.connectionsPerGatewayMax));
    const next = Math.max(PLAN.gatewaysMin, wanted + PLAN.spareGateways);
    if (next <= gateways) break;
    gateways = next;
  }
  const roomNodes = nodesOfRoom(gateways, behaviour.roomMembers);
  const redisCores = cores(
    messagesPerSecond * redisUsOfMessage(costs, roomNodes) +
      connectsPerSecond * costs.redisConnect +
      gateways * costs.redisNodePerSecond,
  );
  const edgeCores =
    costs.edgeDelivery === undefined || costs.edgeConnect === undefined
      ? undefined
      : cores(deliveriesPerSecond * costs.edgeDelivery + connectsPerSecond * costs.edgeConnect);
  return {
    connections,
    messagesPerSecond,
    deliveriesPerSecond,
    gateways,
    gatewayCores,
    memoryGiB: (connections * costs.kbPerConnection) / 1_048_576,
    redisShards: processes(redisCores),
    redisCores,
    presenceCores: cores(connectsPerSecond * costs.presenceConnect),
    nginxWorkers: edgeCores === undefined ? undefined : processes(edgeCores),
  };
}

/** The load `check`, predicted and measured; undefined if it was not measured. */
export function checkPoint(costs: Costs, measured: Measured) {
  const { gatewayUsPerMessage, redisUsPerMessage, messagesPerSecond } = figuresOf(measured, 'check');
  if (gatewayUsPerMessage === undefined || redisUsPerMessage === undefined || messagesPerSecond === undefined)
    return undefined;
  const fanout = fanoutOf(measured, 'check');
  const nodeSecondsPerMessage = fanout.nodes / messagesPerSecond;
  return {
    fanout,
    gatewayUs: {
      predicted: gatewayUsOfMessage(costs, fanout) + costs.nodePerSecond * nodeSecondsPerMessage,
      measured: gatewayUsPerMessage,
    },
    redisUs: {
      predicted: redisUsOfMessage(costs, fanout.nodes) + costs.redisNodePerSecond * nodeSecondsPerMessage,
      measured: redisUsPerMessage,
    },
  };
}

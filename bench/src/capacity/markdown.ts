/** Generates the tables of docs/capacity.md from a report. Pure. */
import { markdownTable, mediansOf } from '../report/markdown.ts';
import { describeSource, type Report } from '../report/report.ts';
import { type Costs, checkPoint, costsOf, PLAN, sizeCluster, type UserBehaviour } from './model.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];

const BEHAVIOURS: Array<UserBehaviour & { title: string }> = [
  {
    title: 'Calm: rooms of 50, each member sends every 5 minutes',
    roomMembers: 50,
    secondsBetweenMessages: 300,
    connectionDurationS: 1_800,
  },
  {
    title: 'Lively: rooms of 50, each member sends every 30 seconds',
    roomMembers: 50,
    secondsBetweenMessages: 30,
    connectionDurationS: 1_800,
  },
  {
    title: 'Large rooms: rooms of 250, each member sends every 2 minutes',
    roomMembers: 250,
    secondsBetweenMessages: 120,
    connectionDurationS: 1_800,
  },
];

export function capacityMarkdown(report: Report): string {
  const costs = costsOf(report);
  return [
    `${mediansOf(report)}. ${describeSource(report)}.`,
    '',
    '### Costs',
    '',
    costTable(costs),
    '',
    '### Check against the load `check`, which the formula does not use',
    '',
    checkText(costs, report),
    '',
    ...BEHAVIOURS.flatMap((behaviour) => [`### ${behaviour.title}`, '', sizeTable(costs, behaviour), '']),
  ]
    .join('\n')
    .trim();
}

function costTable(costs: Costs): string {
  const us = (value: number | undefined) => (value === undefined ? 'not measured' : `${value.toFixed(1)} µs`);
  return markdownTable(
    ['cost', 'symbol', 'value'],
    [
      ['gateways, per message', 'A', us(costs.message)],
      ['gateways, per message and node with members', 'B', us(costs.messageNode)],
      ['gateways, per delivery', 'C', us(costs.delivery)],
      ['gateways, per connect and join', 'D', us(costs.connect)],
      ['gateways, per silent connection and second', 'E', us(costs.idlePerSecond)],
      ['an idle gateway, per second', 'F', us(costs.nodePerSecond)],
      ['gateway memory, per connection', 'K', `${costs.kbPerConnection.toFixed(1)} kB`],
      ['Redis, per message', 'P', us(costs.redisMessage)],
      ['Redis, per message and node with members', 'Q', us(costs.redisMessageNode)],
      ['Redis, per idle gateway and second', 'V', us(costs.redisNodePerSecond)],
      ['Redis, per connect and join', 'R', us(costs.redisConnect)],
      ['presence, per connect and join', 'S', us(costs.presenceConnect)],
      ['nginx, per delivery', 'T', us(costs.edgeDelivery)],
      ['nginx, per connection', 'U', us(costs.edgeConnect)],
    ],
  );
}

function checkText(costs: Costs, report: Report): string {
  const check = checkPoint(costs, report);
  if (check === undefined) return 'Not measured: the report does not contain the load `check`.';
  const row = (what: string, { predicted, measured }: { predicted: number; measured: number }) => [
    what,
    `${predicted.toFixed(0)} µs`,
    `${measured.toFixed(0)} µs`,
    `${(((predicted - measured) / measured) * 100).toFixed(0)} %`,
  ];
  return [
    `${check.fanout.nodes} nodes, all with members, rooms of ${check.fanout.members}:`,
    '',
    markdownTable(
      ['', 'formula', 'measured', 'error'],
      [row('gateways, per message', check.gatewayUs), row('Redis, per message', check.redisUs)],
    ),
  ].join('\n');
}

function sizeTable(costs: Costs, behaviour: UserBehaviour): string {
  const count = (value: number) => Math.round(value).toLocaleString('en');
  const rows = SIZES.map((connections) => {
    const size = sizeCluster(costs, behaviour, connections);
    return [
      count(connections),
      count(size.messagesPerSecond),
      count(size.deliveriesPerSecond),
      count(size.gateways),
      size.gatewayCores.toFixed(1),
      size.memoryGiB.toFixed(1),
      count(size.redisShards),
      size.redisCores.toFixed(2),
      size.presenceCores.toFixed(2),
      size.nginxWorkers === undefined ? 'not measured' : count(size.nginxWorkers),
    ];
  });
  const head = [
    'connections',
    'messages/s',
    'deliveries/s',
    'gateways',
    'cores used',
    'GiB for connections',
    'Redis shards',
    'cores used',
    'presence, cores used',
    'nginx workers',
  ];
  return `${markdownTable(head, rows)}\n\nLimits: ${PLAN.coreShareMax * 100} % of a core per process and ${PLAN.connectionsPerGatewayMax.toLocaleString('en')} connections per gateway; ${PLAN.spareGateways} spare gateway.`;
}

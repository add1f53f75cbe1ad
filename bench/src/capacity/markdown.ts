/** The tables of docs/capacity.md, made from a report, so that no figure in them is typed. Pure. */
import { markdownTable } from '../report/markdown.ts';
import { provenance, type Report } from '../report/report.ts';
import { type Costs, checkPoint, costsOf, type Habits, needOf, PLAN } from './model.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];

const HABITS: Array<Habits & { title: string }> = [
  {
    title: 'Calm: rooms of 50, a message of each member every 5 minutes',
    roomMembers: 50,
    secondsBetweenMessages: 300,
    connectionLifeS: 1_800,
  },
  {
    title: 'Lively: rooms of 50, a message of each member every 30 seconds',
    roomMembers: 50,
    secondsBetweenMessages: 30,
    connectionLifeS: 1_800,
  },
  {
    title: 'Large rooms: of 250, a message of each member every 2 minutes',
    roomMembers: 250,
    secondsBetweenMessages: 120,
    connectionLifeS: 1_800,
  },
];

export function capacityMarkdown(report: Report): string {
  const costs = costsOf(report);
  return [
    `From the medians of ${report.rounds}${report.quick ? ', by --quick: too short to plan with' : ''}. ${provenance(report)}.`,
    '',
    '### Costs',
    '',
    costTable(costs),
    '',
    '### Checked against a point that was not used',
    '',
    checkText(costs, report),
    '',
    ...HABITS.flatMap((habits) => [`### ${habits.title}`, '', needTable(costs, habits), '']),
  ]
    .join('\n')
    .trim();
}

function costTable(costs: Costs): string {
  const us = (value: number | undefined) => (value === undefined ? 'not measured' : `${value.toFixed(1)} µs`);
  return markdownTable(
    ['cost', 'symbol', 'value'],
    [
      ['gateways, a message', 'A', us(costs.message)],
      ['gateways, a message and node with members', 'B', us(costs.messageNode)],
      ['gateways, a delivery', 'C', us(costs.delivery)],
      ['gateways, a connection that connects and joins', 'D', us(costs.connect)],
      ['gateways, a silent connection, each second', 'E', us(costs.idlePerSecond)],
      ['a gateway that does nothing, each second', 'F', us(costs.nodePerSecond)],
      ['memory of a gateway, a connection', 'K', `${costs.kbPerConnection.toFixed(1)} kB`],
      ['Redis, a message', 'P', us(costs.redisMessage)],
      ['Redis, a message and node with members', 'Q', us(costs.redisMessageNode)],
      ['Redis, a gateway that does nothing, each second', 'V', us(costs.redisNodePerSecond)],
      ['Redis, a connection that connects and joins', 'R', us(costs.redisConnect)],
      ['presence, a connection that connects and joins', 'S', us(costs.presenceConnect)],
      ['nginx, a delivery', 'T', us(costs.edgeDelivery)],
      ['nginx, a connection', 'U', us(costs.edgeConnect)],
    ],
  );
}

function checkText(costs: Costs, report: Report): string {
  const check = checkPoint(costs, report);
  if (check === undefined) return 'Not measured: the load `check` was left out.';
  const row = (what: string, { predicted, measured }: { predicted: number; measured: number }) => [
    what,
    `${predicted.toFixed(0)} µs`,
    `${measured.toFixed(0)} µs`,
    `${(((predicted - measured) / measured) * 100).toFixed(0)} %`,
  ];
  return [
    `${check.reach.nodes} nodes with members on all, rooms of ${check.reach.members}:`,
    '',
    markdownTable(
      ['', 'by the formula', 'measured', 'off by'],
      [row('gateways, a message', check.gatewayUs), row('Redis, a message', check.redisUs)],
    ),
  ].join('\n');
}

function needTable(costs: Costs, habits: Habits): string {
  const count = (value: number) => Math.round(value).toLocaleString('en');
  const rows = SIZES.map((connections) => {
    const need = needOf(costs, habits, connections);
    return [
      count(connections),
      count(need.messagesPerSecond),
      count(need.deliveriesPerSecond),
      count(need.gateways),
      need.gatewayCores.toFixed(1),
      need.memoryGiB.toFixed(1),
      count(need.redisShards),
      need.redisCores.toFixed(2),
      need.presenceCores.toFixed(2),
      need.nginxWorkers === undefined ? 'not measured' : count(need.nginxWorkers),
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
  return `${markdownTable(head, rows)}\n\nPlanned at ${PLAN.coreShareMax * 100} % of a core, at most ${PLAN.connectionsPerGatewayMax.toLocaleString('en')} connections on a gateway, ${PLAN.spareGateways} gateway to spare.`;
}

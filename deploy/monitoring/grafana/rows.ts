/** The rows of the dashboard: a question each, with panels that answer it. dashboard.ts turns them into Grafana's format. */

export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'bool';
export interface Panel {
  title: string;
  /** The panel's description. */
  means: string;
  unit: Unit;
  /** Legend → expression; `{{label}}` in a legend stands for the label's value. */
  show: Record<string, string>;
  /** Shows a number instead of curves, red from this value. */
  statRedFrom?: number;
  /** Red below that value instead. */
  redBelow?: boolean;
}
const SEND = 'event="message:send"';

/** The q-quantile of a histogram, one series for each value of the labels in `by`. */
const quantile = (q: number, metric: string, selector = '', by = ''): string => {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${metric}_bucket{${selector}}[$__rate_interval])))`;
};
const quantiles = (metric: string, selector = ''): Record<string, string> => ({
  median: quantile(0.5, metric, selector),
  '99th percentile': quantile(0.99, metric, selector),
});
const rate = (metric: string, by: string, selector = ''): string =>
  `sum by (${by}) (rate(${metric}{${selector}}[$__rate_interval]))`;
const total = (metric: string, selector = ''): string => `sum(rate(${metric}{${selector}}[$__rate_interval]))`;

export const ROWS: Array<{ title: string; panels: Panel[] }> = [
  {
    title: 'Is it healthy?',
    panels: [
      {
        title: 'Gateways',
        means: 'Gateways that answer their scrape',
        unit: 'short',
        show: { '': 'count(maru_connections)' },
        statRedFrom: 1,
        redBelow: true,
      },
      {
        title: 'Signed in',
        means: 'Signed-in connections of all gateways',
        unit: 'short',
        show: { '': 'sum(maru_sessions)' },
        statRedFrom: Number.MAX_SAFE_INTEGER,
      },
      {
        title: 'Degraded',
        means: 'Gateways that cannot store messages',
        unit: 'short',
        show: { '': 'sum(maru_store_degraded)' },
        statRedFrom: 1,
      },
      {
        title: 'Not stored',
        means: 'Share of messages that Redis did not store in time; clients retry them',
        unit: 'percentunit',
        show: {
          '': `(${total('maru_request_duration_seconds_count', `${SEND},outcome=~"unavailable|internal"`)} or vector(0)) / ${total('maru_request_duration_seconds_count', SEND)}`,
        },
        statRedFrom: 0.01,
      },
      {
        title: 'Acknowledged within',
        means: '99th percentile of messages',
        unit: 's',
        show: { '': quantile(0.99, 'maru_request_duration_seconds', `${SEND},outcome="ok"`) },
        statRedFrom: 0.25,
      },
      {
        title: 'Delivered within',
        means: '99th percentile, from the append to the members of a node',
        unit: 's',
        show: { '': quantile(0.99, 'maru_delivery_delay_seconds') },
        statRedFrom: 1,
      },
    ],
  },
  {
    title: 'Is it balanced?',
    panels: [
      {
        title: 'Connections by gateway',
        means: 'Similar, except for a gateway that drains or has just started',
        unit: 'short',
        show: { '{{instance}}': 'maru_sessions' },
      },
      {
        title: 'CPU by gateway',
        means: 'Cores in use; one event loop can use 1',
        unit: 'short',
        show: { '{{instance}}': 'rate(process_cpu_seconds_total{job=~".*gateway.*"}[$__rate_interval])' },
      },
      {
        title: 'Memory by gateway',
        means: 'Resident memory',
        unit: 'bytes',
        show: { '{{instance}}': 'process_resident_memory_bytes{job=~".*gateway.*"}' },
      },
      {
        title: 'Sessions started and ended',
        means: 'Per second; ends by Socket.IO’s reason',
        unit: 'reqps',
        show: { connects: total('maru_connects_total'), '{{reason}}': rate('maru_disconnects_total', 'reason') },
      },
      {
        title: 'Closed by the server',
        means: 'These clients reconnect; `draining` is a deployment',
        unit: 'reqps',
        show: { '{{reason}}': rate('maru_connections_cut_total', 'reason') },
      },
      {
        title: 'Refused handshakes',
        means: 'By reason, and the number of draining gateways',
        unit: 'reqps',
        show: {
          '{{reason}}': rate('maru_handshakes_refused_total', 'reason'),
          'draining gateways': 'sum(maru_draining)',
        },
      },
    ],
  },
  {
    title: 'Where is the time?',
    panels: [
      {
        title: 'Acknowledgement',
        means: 'From a client’s message to its acknowledgement',
        unit: 's',
        show: quantiles('maru_request_duration_seconds', `${SEND},outcome="ok"`),
      },
      {
        title: 'Append',
        means: 'The part of it that Redis takes, queueing included',
        unit: 's',
        show: quantiles('maru_store_call_duration_seconds', 'call="append"'),
      },
      {
        title: 'Delivery',
        means: 'From the append to the members of a node',
        unit: 's',
        show: quantiles('maru_delivery_delay_seconds'),
      },
      {
        title: 'Event loop',
        means: '99th percentile of the time between two looks at it; an idle loop reads 0.1 s',
        unit: 's',
        show: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds{job=~".*(gateway|presence).*"}' },
      },
      {
        title: 'Messages per round trip',
        means: 'Appends sent together; grows with load and with a slow disk',
        unit: 'short',
        show: { mean: `${total('maru_append_batch_messages_sum')} / ${total('maru_append_batch_messages_count')}` },
      },
      {
        title: 'Reads of the log',
        means: '99th percentile; `page` is joins, resumes and history',
        unit: 's',
        show: { '{{call}}': quantile(0.99, 'maru_store_call_duration_seconds', 'call!="append"', 'call') },
      },
      {
        title: 'Requests',
        means: '99th percentile by event',
        unit: 's',
        show: { '{{event}}': quantile(0.99, 'maru_request_duration_seconds', '', 'event') },
      },
      {
        title: 'HTTP',
        means: '99th percentile by route',
        unit: 's',
        show: { '{{route}}': quantile(0.99, 'maru_http_request_duration_seconds', '', 'route') },
      },
      {
        title: 'Failed requests',
        means: 'Per second, by event and error code',
        unit: 'reqps',
        show: {
          '{{event}} {{outcome}}': rate('maru_request_duration_seconds_count', 'event, outcome', 'outcome!="ok"'),
        },
      },
    ],
  },
  {
    title: 'Messages and rooms',
    panels: [
      {
        title: 'Messages in',
        means: 'By outcome',
        unit: 'reqps',
        show: { '{{outcome}}': rate('maru_messages_sent_total', 'outcome') },
      },
      {
        title: 'Messages out',
        means: 'Entries written to connections',
        unit: 'reqps',
        show: { '{{instance}}': rate('maru_messages_delivered_total', 'instance') },
      },
      {
        title: 'Rooms by gateway',
        means: 'A room counts on every gateway with a member',
        unit: 'short',
        show: { '{{instance}}': 'maru_rooms_open' },
      },
      {
        title: 'Resumes',
        means: 'Resumed rooms by result; `epoch` means that a log was rolled back',
        unit: 'reqps',
        show: {
          '{{result}}': rate('maru_resumed_rooms_total', 'result'),
          'log reads': total('maru_resume_reads_total'),
        },
      },
      {
        title: 'Backfills',
        means: 'Reads after a missed announcement; a few after a lost subscription are normal',
        unit: 'reqps',
        show: { '{{instance}}': rate('maru_feed_fills_total', 'instance') },
      },
      {
        title: 'Backlog',
        means: 'Of the slowest connection, and of all; a connection is closed at 8 MiB',
        unit: 'bytes',
        show: { 'slowest, {{instance}}': 'maru_write_queue_bytes_max', 'all, {{instance}}': 'maru_write_queue_bytes' },
      },
      {
        title: 'Connections to Redis',
        means: '1 while usable; `subscriber`: 1 while it receives its heartbeat',
        unit: 'bool',
        show: {
          '{{purpose}}': 'min by (purpose) (maru_redis_connection_up)',
          subscriber: 'min(maru_subscriber_alive)',
        },
      },
      {
        title: 'Dropped',
        means: 'Malformed announcements, and lost ephemeral events',
        unit: 'reqps',
        show: {
          malformed: total('maru_live_malformed_total'),
          'ephemeral: {{stage}}': rate('maru_signal_errors_total', 'stage'),
        },
      },
    ],
  },
  {
    title: 'Presence',
    panels: [
      {
        title: 'Unknown gateways',
        means: 'Gateways whose users presence does not know',
        unit: 'short',
        show: { unknown: 'count(maru_gateway_presence_synced == 0) or vector(0)' },
      },
      {
        title: 'Unreported changes',
        means: 'Changes that gateways have not reported to presence yet',
        unit: 'short',
        show: { '{{instance}}': 'maru_gateway_presence_queued_ops' },
      },
      {
        title: 'Reports',
        means: 'Reports of gateways, by result',
        unit: 'reqps',
        show: { '{{result}}': rate('maru_presence_reports_total', 'result') },
      },
      {
        title: 'Redis calls',
        means: '99th percentile, and failures',
        unit: 's',
        show: {
          '99th percentile': quantile(0.99, 'maru_presence_store_duration_seconds'),
          'failures a second: {{operation}}': rate('maru_presence_store_errors_total', 'operation'),
        },
      },
      {
        title: 'Differences',
        means: 'Published to rooms',
        unit: 'reqps',
        show: { published: total('maru_presence_diffs_total') },
      },
      {
        title: 'Nodes declared dead',
        means: 'Their lease ended; draining does not count',
        unit: 'short',
        show: { nodes: 'sum(increase(maru_presence_lease_expirations_total[$__rate_interval]))' },
      },
    ],
  },
  {
    title: 'Redis (redis_exporter)',
    panels: [
      {
        title: 'Memory',
        means: 'Used and allowed; when full, messages are refused',
        unit: 'bytes',
        show: { used: 'redis_memory_used_bytes', allowed: 'redis_memory_max_bytes > 0' },
      },
      {
        title: 'Commands',
        means: 'Per second',
        unit: 'reqps',
        show: { '{{instance}}': 'rate(redis_commands_processed_total[$__rate_interval])' },
      },
      {
        title: 'Append-only file',
        means: 'Its size; 1 while the last write and the last rewrite succeeded',
        unit: 'bytes',
        show: {
          size: 'redis_aof_current_size_bytes',
          'last write': 'redis_aof_last_write_status',
          'last rewrite': 'redis_aof_last_bgrewrite_status',
        },
      },
    ],
  },
];

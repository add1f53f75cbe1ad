/** What the dashboard shows: each row a question, each panel the expressions that answer it. How it is drawn says dashboard.ts. */

export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'bool';
export interface Panel {
  title: string;
  /** What a reader should see in it. */
  means: string;
  unit: Unit;
  /** Legend → expression; `{{label}}` in a legend is the label's value. */
  show: Record<string, string>;
  /** A number instead of curves; red from here on. */
  statRedFrom?: number;
  /** Red below instead of above. */
  redBelow?: boolean;
}
const SEND = 'event="message:send"';

/** The share of calls that were at most so long, from a histogram; `by` keeps those labels apart. */
const quantile = (q: number, metric: string, selector = '', by = ''): string => {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${metric}_bucket{${selector}}[$__rate_interval])))`;
};
const quantiles = (metric: string, selector = ''): Record<string, string> => ({
  'half take at most': quantile(0.5, metric, selector),
  '99 of 100 take at most': quantile(0.99, metric, selector),
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
        means: 'How many answer',
        unit: 'short',
        show: { '': 'count(maru_connections)' },
        statRedFrom: 1,
        redBelow: true,
      },
      {
        title: 'Signed in',
        means: 'Connections of all gateways',
        unit: 'short',
        show: { '': 'sum(maru_sessions)' },
        statRedFrom: Number.MAX_SAFE_INTEGER,
      },
      {
        title: 'Without the store',
        means: 'Gateways that tell their clients `degraded`',
        unit: 'short',
        show: { '': 'sum(maru_store_degraded)' },
        statRedFrom: 1,
      },
      {
        title: 'Not stored',
        means: 'Share of messages that the store did not take in time; clients send them again',
        unit: 'percentunit',
        show: {
          '': `(${total('maru_request_duration_seconds_count', `${SEND},outcome=~"unavailable|internal"`)} or vector(0)) / ${total('maru_request_duration_seconds_count', SEND)}`,
        },
        statRedFrom: 0.01,
      },
      {
        title: 'Acknowledged within',
        means: '99 of 100 messages',
        unit: 's',
        show: { '': quantile(0.99, 'maru_request_duration_seconds', `${SEND},outcome="ok"`) },
        statRedFrom: 0.25,
      },
      {
        title: 'Delivered within',
        means: '99 of 100 announcements, from the append to the members of a node',
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
        means: 'Near each other, but for one that leaves or has just come',
        unit: 'short',
        show: { '{{instance}}': 'maru_sessions' },
      },
      {
        title: 'Processor by gateway',
        means: 'Cores in use; 1 is all that one event loop can have',
        unit: 'short',
        show: { '{{instance}}': 'rate(process_cpu_seconds_total{job=~".*gateway.*"}[$__rate_interval])' },
      },
      {
        title: 'Memory by gateway',
        means: 'Resident',
        unit: 'bytes',
        show: { '{{instance}}': 'process_resident_memory_bytes{job=~".*gateway.*"}' },
      },
      {
        title: 'Coming and going',
        means: 'Sessions a second; ends by the reason that Socket.IO gives',
        unit: 'reqps',
        show: { connects: total('maru_connects_total'), '{{reason}}': rate('maru_disconnects_total', 'reason') },
      },
      {
        title: 'Cut by us',
        means: 'Ended by the server, to come back; `draining` is a deployment',
        unit: 'reqps',
        show: { '{{reason}}': rate('maru_connections_cut_total', 'reason') },
      },
      {
        title: 'Not let in',
        means: 'Refused handshakes, and gateways that are leaving',
        unit: 'reqps',
        show: { '{{reason}}': rate('maru_handshakes_refused_total', 'reason'), leaving: 'sum(maru_draining)' },
      },
    ],
  },
  {
    title: 'Where is the time?',
    panels: [
      {
        title: 'Acknowledgement',
        means: 'From a client’s message to its answer',
        unit: 's',
        show: quantiles('maru_request_duration_seconds', `${SEND},outcome="ok"`),
      },
      {
        title: 'Append',
        means: 'The part of it that the store takes, waiting for a turn included',
        unit: 's',
        show: quantiles('maru_store_call_duration_seconds', 'call="append"'),
      },
      {
        title: 'Delivery',
        means: 'From the append to the queues of a node’s members',
        unit: 's',
        show: quantiles('maru_delivery_delay_seconds'),
      },
      {
        title: 'Event loop',
        means: 'How late a turn comes, 1 in 100; some 10 ms are the clock that measures it',
        unit: 's',
        show: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds{job=~".*(gateway|presence).*"}' },
      },
      {
        title: 'Messages a round trip',
        means: 'Appends that went out together; grows with load, and with a slow disk',
        unit: 'short',
        show: { mean: `${total('maru_append_batch_messages_sum')} / ${total('maru_append_batch_messages_count')}` },
      },
      {
        title: 'Reads of the log',
        means: '99 of 100; `page` are joins, resumes and history',
        unit: 's',
        show: { '{{call}}': quantile(0.99, 'maru_store_call_duration_seconds', 'call!="append"', 'call') },
      },
      {
        title: 'Requests',
        means: '99 of 100, by event',
        unit: 's',
        show: { '{{event}}': quantile(0.99, 'maru_request_duration_seconds', '', 'event') },
      },
      {
        title: 'HTTP',
        means: '99 of 100, by route',
        unit: 's',
        show: { '{{route}}': quantile(0.99, 'maru_http_request_duration_seconds', '', 'route') },
      },
      {
        title: 'Answers that are no',
        means: 'Requests a second, by event and code',
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
        means: 'By what became of them',
        unit: 'reqps',
        show: { '{{outcome}}': rate('maru_messages_sent_total', 'outcome') },
      },
      {
        title: 'Messages out',
        means: 'Entries given to connections',
        unit: 'reqps',
        show: { '{{instance}}': rate('maru_messages_delivered_total', 'instance') },
      },
      {
        title: 'Rooms by gateway',
        means: 'Subscriptions; a room counts on every gateway that has a member',
        unit: 'short',
        show: { '{{instance}}': 'maru_rooms_open' },
      },
      {
        title: 'Resumes',
        means: 'Rooms of clients that came back, by result; `epoch` means that a log was rolled back',
        unit: 'reqps',
        show: {
          '{{result}}': rate('maru_resumed_rooms_total', 'result'),
          'reads for them': total('maru_resume_reads_total'),
        },
      },
      {
        title: 'Holes filled',
        means: 'Reads because an announcement was missed; a handful after a lost subscription',
        unit: 'reqps',
        show: { '{{instance}}': rate('maru_feed_fills_total', 'instance') },
      },
      {
        title: 'Waiting to be written',
        means: 'The connection that is furthest behind, and all together; 8 MiB cut a connection',
        unit: 'bytes',
        show: { 'most, {{instance}}': 'maru_write_queue_bytes_max', 'all, {{instance}}': 'maru_write_queue_bytes' },
      },
      {
        title: 'Roads to the store',
        means: '1 while usable; `subscriber` while it hears itself',
        unit: 'bool',
        show: {
          '{{purpose}}': 'min by (purpose) (maru_redis_connection_up)',
          subscriber: 'min(maru_subscriber_alive)',
        },
      },
      {
        title: 'Dropped',
        means: 'Malformed announcements, and signals (typing) that were lost',
        unit: 'reqps',
        show: {
          malformed: total('maru_live_malformed_total'),
          'signals: {{stage}}': rate('maru_signal_errors_total', 'stage'),
        },
      },
    ],
  },
  {
    title: 'Presence',
    panels: [
      {
        title: 'Gateways unknown to it',
        means: 'Those whose people presence does not know',
        unit: 'short',
        show: { unknown: 'count(maru_gateway_presence_synced == 0) or vector(0)' },
      },
      {
        title: 'Waiting to be told',
        means: 'Comings and goings that presence has not been told',
        unit: 'short',
        show: { '{{instance}}': 'maru_gateway_presence_queued_ops' },
      },
      {
        title: 'Reports',
        means: 'Of gateways, by result',
        unit: 'reqps',
        show: { '{{result}}': rate('maru_presence_reports_total', 'result') },
      },
      {
        title: 'Its store',
        means: 'A call, 99 of 100; and failures',
        unit: 's',
        show: {
          '99 of 100': quantile(0.99, 'maru_presence_store_duration_seconds'),
          'failures a second: {{operation}}': rate('maru_presence_store_errors_total', 'operation'),
        },
      },
      {
        title: 'Differences',
        means: 'Told to rooms',
        unit: 'reqps',
        show: { told: total('maru_presence_diffs_total') },
      },
      {
        title: 'Nodes declared dead',
        means: 'Their lease ended; a drained one is none',
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
        means: 'Used and allowed; full means that messages are refused',
        unit: 'bytes',
        show: { used: 'redis_memory_used_bytes', allowed: 'redis_memory_max_bytes > 0' },
      },
      {
        title: 'Commands',
        means: 'A second',
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

/** The rows that every operator reads first: health, balance, and latency. */
import { quantile, quantiles, type Row, rate, SEND, total } from './panels.ts';

export const SERVICE_ROWS: Row[] = [
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
        means: '99th percentile of the time between two samples; an idle loop reads 0.1 s',
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
];

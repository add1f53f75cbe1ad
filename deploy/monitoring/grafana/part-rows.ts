/** Rows of the parts: messages and rooms, presence, the archive, Redis. */
import { quantile, quantiles, type Row, rate, total } from './panels.ts';

export const PART_ROWS: Row[] = [
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
        means: '1 while usable; `subscriber`: 1 while Redis answers on its connections',
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
    title: 'Archive',
    panels: [
      {
        title: 'Lag',
        means: 'How long the oldest entry that is not archived has waited; until then Redis keeps it',
        unit: 's',
        show: { lag: 'max(maru_archiver_lag_seconds)' },
      },
      {
        title: 'Waiting',
        means: 'Rooms with entries to archive, and entries that were missing at the last scan',
        unit: 'short',
        show: { rooms: 'max(maru_archiver_waiting_rooms)', entries: 'max(maru_archiver_behind_entries)' },
      },
      {
        title: 'Archived',
        means: 'Entries written to PostgreSQL, and entries that the retention removed',
        unit: 'reqps',
        show: { written: total('maru_archiver_entries_total'), removed: total('maru_archiver_expired_entries_total') },
      },
      {
        title: 'Transactions',
        means: 'Writes to PostgreSQL',
        unit: 's',
        show: quantiles('maru_archiver_transaction_duration_seconds'),
      },
      {
        title: 'Failures',
        means: 'Failed rounds by part, refused batches, and hints that Redis did not take',
        unit: 'reqps',
        show: {
          '{{part}}': rate('maru_archiver_failures_total', 'part'),
          'refused batches': total('maru_archiver_refused_rooms_total'),
          'lost hints': total('maru_archive_hint_failures_total'),
        },
      },
      {
        title: 'Lost and set aside',
        means: 'Entries in neither store, entries that a rollback set aside, rooms older than the archive',
        unit: 'short',
        show: {
          lost: 'sum(increase(maru_archiver_gap_entries_total[$__rate_interval]))',
          'set aside': 'sum(increase(maru_archiver_set_aside_entries_total[$__rate_interval]))',
          'older rooms': 'sum(increase(maru_archiver_stale_rooms_total[$__rate_interval]))',
        },
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

/**
 * Traces over OTLP/HTTP. Loaded only where they are asked for.
 *
 * A message's trace and the id of its first span are made from what every node can know of it: room, sender and `clientMsgId`. So each node
 * adds its delivery to the same trace, and all of them choose the same messages, without anything being added to what nodes tell each
 * other. A message that is sent again shows up again in its own trace.
 */
import { createHash } from 'node:crypto';
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import {
  type Attributes,
  type Context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { parseAnnouncement } from '../delivery/announcement.ts';
import type { ChannelHandler, Subscriber } from '../delivery/subscriber.ts';
import { roomOfLiveChannel } from '../keys.ts';
import type { AppendRequest } from '../log/room-log.ts';
import type { Tracing } from './tracing.ts';

/** Ended spans are sent so often; beyond so many that wait, new ones are dropped. */
const EXPORT_PERIOD_MS = 1_000;
const QUEUED_SPANS_MAX = 8_192;
const EXPORT_TIMEOUT_MS = 5_000;
const CLOSE_WAIT_MS = 1_000;
const REASON_CHARS_MAX = 200;

interface Ids {
  traceId: string;
  spanId: string;
}

export function createOtlpTracing(options: { endpoint: string; ratio: number; node: string; logger: Logger }): Tracing {
  const { logger } = options;
  const report = (message: string) =>
    logger.warn({ reason: message.slice(0, REASON_CHARS_MAX) }, 'traces could not be sent');
  const ignore = () => {};
  const sink = { error: report, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(sink, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });

  const random = new RandomIdGenerator();
  /** The ids of the span that is about to start, where they are not left to chance. */
  let given: Ids | undefined;
  const url = new URL('v1/traces', options.endpoint.replace(/\/?$/, '/')).href;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'maru-gateway', 'service.instance.id': options.node }),
    sampler: new TraceIdRatioBasedSampler(options.ratio),
    idGenerator: {
      generateTraceId: () => given?.traceId ?? random.generateTraceId(),
      generateSpanId: () => given?.spanId ?? random.generateSpanId(),
    },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS }),
        scheduledDelayMillis: EXPORT_PERIOD_MS,
        maxQueueSize: QUEUED_SPANS_MAX,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('maru');
  const appends = new WeakMap<AppendRequest, Span>();

  const startFirst = (ids: Ids, attributes: Attributes): Span => {
    given = ids;
    try {
      return tracer.startSpan('message:send', { root: true, kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT);
    } finally {
      given = undefined;
    }
  };

  /** Ends the span with what the work came to; of an error only its code, which holds nothing that a user wrote. */
  const within = async <T>(span: Span, work: Promise<T>, attributesOf: (result: T) => Attributes): Promise<T> => {
    try {
      const result = await work;
      span.setAttributes(attributesOf(result));
      return result;
    } catch (error) {
      const code = error instanceof MaruError ? error.code : 'internal';
      span.setAttribute('maru.outcome', code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: code });
      throw error;
    } finally {
      span.end();
    }
  };

  return {
    sendMessage: (send) => (user, request) => {
      const { room, clientMsgId } = request;
      const span = startFirst(idsOf(room, user.id, clientMsgId), { 'maru.room': room });
      return within(span, send(user, request), ({ seq, duplicate }) => ({
        'maru.outcome': duplicate ? 'duplicate' : 'stored',
        'maru.seq': seq,
      }));
    },
    log: (log) => ({
      append(request) {
        const { room, userId, clientMsgId } = request;
        const parent = contextOf(idsOf(room, userId, clientMsgId));
        const span = tracer.startSpan('append', { kind: SpanKind.CLIENT, attributes: { 'maru.room': room } }, parent);
        appends.set(request, span);
        return within(span, log.append(request), ({ outcome }) => ({ 'maru.outcome': outcome }));
      },
      read: (room, reader, piece, readOptions) => log.read(room, reader, piece, readOptions),
    }),
    subscriber(subscriber) {
      const traced = (room: string, handler: ChannelHandler): ChannelHandler => {
        return (payload) => {
          const startTime = new Date();
          handler(payload);
          const entry = readAnnouncement(room, payload);
          if (entry === undefined) return;
          const attributes = { 'maru.room': room, 'maru.seq': entry.seq };
          tracer.startSpan('deliver', { kind: SpanKind.CONSUMER, startTime, attributes }, contextOf(entry.ids)).end();
        };
      };
      // Apart from this one function it is the subscriber itself.
      return Object.create(subscriber, {
        subscribe: {
          value(channel: string, handler: ChannelHandler) {
            const room = roomOfLiveChannel(channel);
            return subscriber.subscribe(channel, room === undefined ? handler : traced(room, handler));
          },
        },
      }) as Subscriber;
    },
    onBatch(batch) {
      for (const { request } of batch) appends.get(request)?.setAttribute('maru.batch.size', batch.length);
    },
    async close() {
      const bound = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WAIT_MS).unref());
      await Promise.race([provider.shutdown().catch((error: unknown) => report(String(error))), bound]);
    },
  };
}

/** Neither tells anything about what it was made from. */
function idsOf(room: string, userId: string, clientMsgId: string): Ids {
  const hash = createHash('sha256').update(`${room}\n${userId}\n${clientMsgId}`).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}

const contextOf = (ids: Ids): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED, isRemote: true });

/** Whose message an announcement tells of; undefined for anything that is no message. */
function readAnnouncement(room: string, payload: string): { seq: number; ids: Ids } | undefined {
  const frame = parseAnnouncement(payload);
  if (frame?.kind !== 'entry') return undefined;
  try {
    const { from, clientMsgId } = JSON.parse(`{${frame.body}`) as { from: { id: string }; clientMsgId: string };
    return { seq: frame.seq, ids: idsOf(room, from.id, clientMsgId) };
  } catch {
    return undefined;
  }
}

/**
 * Traces over OTLP/HTTP. Loaded only if tracing is on.
 *
 * A message's trace id and first span id are hashes of its room, sender and `clientMsgId`, which
 * every node knows. So each node adds its delivery to the same trace, and all nodes sample the same
 * messages, without additional data between nodes. A retry appears in the trace of its message.
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
  type IdGenerator,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ChannelHandler } from '../delivery/subscriber.ts';
import { roomOfLiveChannel } from '../keys.ts';
import type { AnyRequest } from '../log/append-calls.ts';
import { parseAnnouncement } from '../log/entry-codec.ts';
import type { AppendRequest, ChangeRequest } from '../log/room-log.ts';
import type { Tracing } from './tracing.ts';

/** Period between exports, and the maximum of waiting spans. Further spans are dropped. */
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
    logger.warn({ reason: message.slice(0, REASON_CHARS_MAX) }, 'traces were not sent');
  const ignore = () => {};
  const sink = { error: report, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(sink, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });

  const random = new RandomIdGenerator();
  /** The ids of the span that is about to start; undefined for random ones. */
  let given: Ids | undefined;
  const provider = createProvider(options, {
    generateTraceId: () => given?.traceId ?? random.generateTraceId(),
    generateSpanId: () => given?.spanId ?? random.generateSpanId(),
  });
  const tracer = provider.getTracer('maru');
  const appends = new WeakMap<AnyRequest, Span>();

  const startFirst = (ids: Ids, attributes: Attributes): Span => {
    given = ids;
    try {
      return tracer.startSpan('message:send', { root: true, kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT);
    } finally {
      given = undefined;
    }
  };

  /**
   * Ends the span with the outcome of the work. Of an error it keeps only the code, which contains
   * no user data.
   */
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

  const withinAppend = <T extends { outcome: string }>(
    request: AppendRequest | ChangeRequest,
    append: () => Promise<T>,
  ): Promise<T> => {
    const { room, userId, clientMsgId } = request;
    const parent = contextOf(idsOf(room, userId, clientMsgId));
    const span = tracer.startSpan('append', { kind: SpanKind.CLIENT, attributes: { 'maru.room': room } }, parent);
    appends.set(request, span);
    return within(span, append(), ({ outcome }) => ({ 'maru.outcome': outcome }));
  };

  return {
    sendMessage: (send) => (user, request, sender) => {
      const { room, clientMsgId } = request;
      const span = startFirst(idsOf(room, user.id, clientMsgId), { 'maru.room': room });
      return within(span, send(user, request, sender), ({ seq, duplicate }) => ({
        'maru.outcome': duplicate ? 'duplicate' : 'stored',
        'maru.seq': seq,
      }));
    },
    log: (log) => ({
      ...log,
      append: (request) => withinAppend(request, () => log.append(request)),
      // Only messages have a first span.
      change: (request) =>
        request.change.type === 'send' ? withinAppend(request, () => log.change(request)) : log.change(request),
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
      return {
        subscribe(channel, handler) {
          const room = roomOfLiveChannel(channel);
          return subscriber.subscribe(channel, room === undefined ? handler : traced(room, handler));
        },
        unsubscribe: (channel) => subscriber.unsubscribe(channel),
        want: (channel, handler) => subscriber.want(channel, handler),
        drop: (channels) => subscriber.drop(channels),
        onResubscribed: (callback) => subscriber.onResubscribed(callback),
        isAlive: (channel) => subscriber.isAlive(channel),
        get alive() {
          return subscriber.alive;
        },
        start: (ticker) => subscriber.start(ticker),
        stop: () => subscriber.stop(),
      };
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

function createProvider(
  { endpoint, ratio, node }: { endpoint: string; ratio: number; node: string },
  idGenerator: IdGenerator,
): TracerProvider {
  const url = new URL('v1/traces', endpoint.replace(/\/?$/, '/')).href;
  return new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'maru-gateway', 'service.instance.id': node }),
    sampler: new TraceIdRatioBasedSampler(ratio),
    idGenerator,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS }),
        scheduledDelayMillis: EXPORT_PERIOD_MS,
        maxQueueSize: QUEUED_SPANS_MAX,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
}

/** The hashes do not reveal their input. */
function idsOf(room: string, userId: string, clientMsgId: string): Ids {
  const hash = createHash('sha256').update(`${room}\n${userId}\n${clientMsgId}`).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}

const contextOf = (ids: Ids): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED, isRemote: true });

/** The ids of an announced message; undefined for other announcements. */
function readAnnouncement(room: string, payload: string): { seq: number; ids: Ids } | undefined {
  const announcement = parseAnnouncement(payload);
  if (announcement?.kind !== 'entry') return undefined;
  try {
    const { from, clientMsgId } = JSON.parse(`{${announcement.body}`) as { from: { id: string }; clientMsgId: string };
    return { seq: announcement.seq, ids: idsOf(room, from.id, clientMsgId) };
  } catch {
    return undefined;
  }
}

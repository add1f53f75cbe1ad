/** The HTTP face of presence, for gateways only. Errors are `{error: {code, message, retryable}}` with the catalogue's status. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ERROR_CATALOGUE, MaruError, parsePayload, roomId } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import { concurrently } from './concurrently.ts';
import type { PresenceMetrics } from './metrics.ts';
import type { Reports } from './reports.ts';
import { beatBody, countsBody, departBody, nodeName, reportBody, syncBody } from './schemas.ts';
import { BOUNDS } from './settings.ts';
import type { PresenceStore } from './store/presence-store.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares digests, so that neither the secret's length nor how much of it was right can be measured. */
function requireSecret(secret: string): RequestHandler {
  const expected = digest(`Bearer ${secret}`);
  return (request, _response, next) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return next();
    next(new MaruError('unauthenticated', 'the internal secret is missing or wrong'));
  };
}

export function createHttp(options: {
  secret: string;
  store: PresenceStore;
  reports: Reports;
  /** Called when a node said goodbye: what it held can be cleared. */
  onDeparture: (node: string) => void;
  metrics: PresenceMetrics;
  logger: Logger;
}): Express {
  const { store, reports, metrics, logger } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use((_request, response, next) => {
    response.once('finish', () => {
      const route = String(response.locals.route ?? 'unknown');
      metrics.requests.inc({ route, status: `${Math.floor(response.statusCode / 100)}xx` });
    });
    next();
  });
  // Before the body is read: a stranger costs one hash.
  app.use(requireSecret(options.secret));
  app.use(express.json({ limit: BOUNDS.requestBytesMax }));

  const route = (name: string, answer: (request: Request) => Promise<unknown>): RequestHandler => {
    return (request, response, next) => {
      response.locals.route = name;
      answer(request).then((body) => response.json(body), next);
    };
  };
  const nodeOf = (request: Request): string => parsePayload(nodeName, request.params.node);

  app.post(
    '/v1/nodes/:node/sync',
    route('sync', async (request) => {
      const node = nodeOf(request);
      const body = parsePayload(syncBody, request.body);
      const begun = await store.syncNode(node, body.process, body.startedAt ?? 0);
      metrics.syncs.inc({ result: begun === undefined ? 'superseded' : 'ok' });
      if (begun === undefined) throw new MaruError('conflict', 'a younger process runs under this name');
      await store.scheduleNode(node, begun.leaseUntil);
      logger.info({ peer: node }, 'a node tells its full state');
      return { startedAt: begun.startedAt, nodeEpoch: begun.epoch };
    }),
  );

  app.post(
    '/v1/nodes/:node/report',
    route('report', (request) => reports.handle(nodeOf(request), parsePayload(reportBody, request.body))),
  );

  app.post(
    '/v1/nodes/:node/beat',
    route('beat', async (request) => {
      const node = nodeOf(request);
      const body = parsePayload(beatBody, request.body);
      const leaseUntil = await store.beatNode(node, body.nodeEpoch, body.seq);
      if (leaseUntil === undefined) return { resync: true };
      await store.scheduleNode(node, leaseUntil);
      return { resync: false };
    }),
  );

  app.post(
    '/v1/nodes/:node/depart',
    route('depart', async (request) => {
      const node = nodeOf(request);
      if (!(await store.departNode(node, parsePayload(departBody, request.body).nodeEpoch))) return {};
      await store.scheduleNode(node, 0);
      options.onDeparture(node);
      return {};
    }),
  );

  app.get(
    '/v1/rooms/:room',
    route('snapshot', (request) => store.readRoom(parsePayload(roomId, request.params.room))),
  );

  app.post(
    '/v1/counts',
    route('counts', async (request) => {
      const { rooms } = parsePayload(countsBody, request.body);
      const counts: Record<string, number> = {};
      const versions: Record<string, number> = {};
      await concurrently(rooms, 64, async (room) => {
        const { count, version } = await store.countRoom(room);
        counts[room] = count;
        versions[room] = version;
      });
      return { counts, versions };
    }),
  );

  app.use(() => {
    throw new MaruError('not_found', 'no such route');
  });

  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    const expected = toMaruError(error);
    // The store's outage is reported once by the loops; each request that met it would only repeat it.
    if (expected.code === 'internal') logger.error({ err: error, path: request.path }, 'a request failed');
    response.status(ERROR_CATALOGUE[expected.code].httpStatus).json({ error: expected.toBody() });
  };
  app.use(onError);
  return app;
}

function toMaruError(error: unknown): MaruError {
  if (error instanceof MaruError) return error;
  // What express and its body parser throw for a request that is malformed or too large.
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return new MaruError('too_large', 'the body is too large');
  if (typeof status === 'number' && status >= 400 && status < 500) return new MaruError('invalid', 'malformed request');
  return new MaruError('internal', 'the request failed');
}

/**
 * The HTTP interface of presence, for gateways. Errors are `{error: {code, message, retryable}}`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  countsRequest,
  departRequest,
  nodeName,
  REQUEST_BYTES_MAX,
  ROUTES,
  renewRequest,
  reportRequest,
  statusRequest,
  syncRequest,
  usersRequest,
} from '@maru/presence-api';
import { ERROR_CATALOGUE, MaruError, parsePayload, roomId, userId } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import type { PresenceMetrics } from './metrics.ts';
import type { Reports } from './reports.ts';
import type { PresenceStore } from './store/presence-store.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares digests, so that timing reveals neither the secret's length nor a correct prefix. */
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
  /** A node released its lease, so its entries can be removed. */
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
  // Before the body is read, so that a request without the secret costs only one hash.
  app.use(requireSecret(options.secret));
  app.use(express.json({ limit: REQUEST_BYTES_MAX }));

  const nodeOf = (request: Request): string => parsePayload(nodeName, request.params.node);

  app.post(
    ROUTES.sync,
    route('sync', async (request) => {
      const node = nodeOf(request);
      const body = parsePayload(syncRequest, request.body);
      const begun = await store.syncNode(node, body.process, body.startedAt ?? 0);
      metrics.syncs.inc({ result: begun === undefined ? 'superseded' : 'ok' });
      if (begun === undefined) throw new MaruError('conflict', 'a newer process has this name');
      await store.scheduleNode(node, begun.leaseUntil);
      logger.info({ peer: node }, 'a node begins a full state');
      return { startedAt: begun.startedAt, nodeEpoch: begun.epoch };
    }),
  );

  app.post(
    ROUTES.report,
    route('report', (request) => reports.handle(nodeOf(request), parsePayload(reportRequest, request.body))),
  );

  app.post(
    ROUTES.beat,
    route('beat', async (request) => {
      const node = nodeOf(request);
      const body = parsePayload(renewRequest, request.body);
      const leaseUntil = await store.renewLease(node, body.nodeEpoch, body.seq);
      if (leaseUntil === undefined) return { resync: true };
      await store.scheduleNode(node, leaseUntil);
      return { resync: false };
    }),
  );

  app.post(
    ROUTES.depart,
    route('depart', async (request) => {
      const node = nodeOf(request);
      if (!(await store.departNode(node, parsePayload(departRequest, request.body).nodeEpoch))) return {};
      await store.scheduleNode(node, 0);
      options.onDeparture(node);
      return {};
    }),
  );

  addUserRoutes(app, store);
  app.get(
    ROUTES.room,
    route('snapshot', async (request) => {
      const room = parsePayload(roomId, request.params.room);
      // A user whose join is not published yet belongs to the snapshot. Both commands go out
      // together. If Redis refuses writes, the snapshot is as of the last difference.
      const flushing = store.flushRoom(room).then(
        ({ published }) => void (published && metrics.diffs.inc()),
        () => {},
      );
      const [snapshot] = await Promise.all([store.readRoom(room), flushing]);
      return snapshot;
    }),
  );

  app.post(
    ROUTES.counts,
    route('counts', async (request) => {
      const { rooms } = parsePayload(countsRequest, request.body);
      const counted = await store.countRooms(rooms);
      return {
        counts: Object.fromEntries(rooms.map((room, index) => [room, counted[index]?.count ?? 0])),
        versions: Object.fromEntries(rooms.map((room, index) => [room, counted[index]?.version ?? 0])),
      };
    }),
  );

  app.use(() => {
    throw new MaruError('not_found', 'no such route');
  });

  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    const expected = toMaruError(error);
    // The loops already log that Redis is unavailable.
    if (expected.code === 'internal') logger.error({ err: error, path: request.path }, 'a request failed');
    response.status(ERROR_CATALOGUE[expected.code].httpStatus).json({ error: expected.toBody() });
  };
  app.use(onError);
  return app;
}

/** Answers with what `answer` resolves with. */
const route =
  (name: string, answer: (request: Request) => Promise<unknown>): RequestHandler =>
  (request, response, next) => {
    response.locals.route = name;
    answer(request).then((body) => response.json(body), next);
  };

function addUserRoutes(app: Express, store: PresenceStore): void {
  app.post(
    ROUTES.status,
    route('status', async (request) => {
      const { text, ...wanted } = parsePayload(statusRequest, request.body);
      const user = parsePayload(userId, request.params.user);
      await store.keepStatus(user, text === undefined ? wanted : { ...wanted, text });
      return {};
    }),
  );

  app.post(
    ROUTES.users,
    route('users', async (request) => {
      const { reader, users } = parsePayload(usersRequest, request.body);
      return { users: await store.readPresence(reader, users) };
    }),
  );
}

function toMaruError(error: unknown): MaruError {
  if (error instanceof MaruError) return error;
  // An error of Express or its body parser: the request is malformed or too large.
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return new MaruError('too_large', 'the body is too large');
  if (typeof status === 'number' && status >= 400 && status < 500) return new MaruError('invalid', 'malformed request');
  return new MaruError('internal', 'the request failed');
}

/** The HTTP API under `/api/v1`: for bots and back ends, and for clients before they connect. */
import {
  clientMsgId,
  httpSchemas,
  LIMITS,
  MaruError,
  type PresenceSnapshot,
  parsePayload,
  roomId,
} from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Audit } from '../audit/audit.ts';
import type { SignIns } from '../audit/sign-ins.ts';
import { isOriginAllowed } from '../edge/origin.ts';
import type { Identity, Tokens } from '../identity/tokens.ts';
import { eventsOf, ROOMS_PER_EVENT } from '../limits/answer-cost.ts';
import { isNestedDeeper } from '../limits/json-depth.ts';
import type { KeyedLimit } from '../limits/keyed-limit.ts';
import type { ReadHistory } from '../requests/history.ts';
import type { SendMessage } from '../requests/messages.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import { type AdminDeps, createAdminRoutes } from './admin.ts';
import { signedIn, takeOrThrow, wrongMethod } from './calls.ts';
import { createErrorHandler, sendProblem } from './problem.ts';
import { securityHeaders } from './security-headers.ts';

export interface ApiDeps {
  tokens: Tokens & { isRevoked(identity: Identity): boolean };
  /** For calls under `/admin`. */
  orders: AdminDeps['orders'];
  audit: Audit;
  signIns: SignIns;
  readAudit: AdminDeps['readAudit'];
  carryOut: AdminDeps['carryOut'];
  directory: RoomDirectory;
  sendMessage: SendMessage;
  readHistory: ReadHistory;
  /** Rejects `not_found` if the user may not see the room. */
  presence: (userId: string, room: string) => Promise<PresenceSnapshot>;
  onlineCounts: (rooms: string[]) => Promise<Record<string, number>>;
  allowedOrigins: ReadonlySet<string>;
  trustedProxies: string[];
  /** Hands over the WebSockets whose other end has this address. Resolves when they are closed. */
  handOverFrom: (address: string) => Promise<void>;
  /** Limits calls by user, and guest sign-ins by address. */
  userLimit: KeyedLimit;
  addressLimit: KeyedLimit;
  logger: Logger;
  onCall: (route: string, status: number, seconds: number) => void;
}

export function createApi(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', deps.trustedProxies);
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use(securityHeaders());
  app.use(originGuard(deps.allowedOrigins));
  app.use(measure(deps.onCall));

  const api = express.Router();
  // Strict JSON of bounded size for any content type, so that a wrong content type does not bypass
  // the limit.
  const checkDepth = (_request: unknown, _response: unknown, body: Buffer) => {
    if (isNestedDeeper(body.toString(), LIMITS.jsonDepthMax))
      throw new MaruError('invalid', 'the body is nested too deeply');
  };
  api.use(express.json({ limit: LIMITS.packetBytesMax, type: () => true, strict: true, verify: checkDepth }));

  const { verify } = deps.tokens;
  const member = signedIn({ verify, userLimit: deps.userLimit });

  api
    .route('/guests')
    .post(async (request, response) => {
      const guest = await deps.signIns.run('guest', async () => {
        takeOrThrow(deps.addressLimit, request.ip ?? '');
        if (deps.tokens.issueGuest === undefined) throw new MaruError('not_found', 'guests are switched off');
        const { name } = parsePayload(httpSchemas.guest, request.body);
        return deps.tokens.issueGuest(name);
      });
      response.status(201).json(guest);
    })
    .all(wrongMethod('POST'));

  api
    .route('/rooms')
    .get(
      member(async (request, response, { user }) => {
        const { cursor, limit = LIMITS.pageEntriesDefault } = parsePayload(httpSchemas.rooms, request.query);
        deps.userLimit.charge(user.id, limit / ROOMS_PER_EVENT);
        const page = await deps.directory.listPublic({ cursor, limit });
        deps.userLimit.charge(user.id, (page.rooms.length - limit) / ROOMS_PER_EVENT);
        const counts = await deps.onlineCounts(page.rooms.map(({ room }) => room));
        const rooms = page.rooms.map((room) => ({ ...room, online: counts[room.room] ?? 0 }));
        response.json(page.cursor === undefined ? { rooms } : { rooms, cursor: page.cursor });
      }),
    )
    .all(wrongMethod('GET'));

  api
    .route('/rooms/:room/messages')
    .get(
      member(async (request, response, { user }) => {
        const room = parsePayload(roomId, request.params.room);
        const { limit = LIMITS.pageEntriesDefault, ...query } = parsePayload(httpSchemas.history, request.query);
        const { data, bytes } = await deps.readHistory(user.id, { room, limit, ...query });
        deps.userLimit.charge(user.id, eventsOf(bytes));
        response.json(data);
      }),
    )
    .post(
      member(async (request, response, identity) => {
        const room = parsePayload(roomId, request.params.room);
        const key = request.get('Idempotency-Key');
        if (key === undefined) throw new MaruError('invalid', 'Idempotency-Key: the header is required');
        const id = parsePayload(clientMsgId, key);
        const { text } = parsePayload(httpSchemas.post, request.body);
        const sender = {
          get revoked() {
            return deps.tokens.isRevoked(identity);
          },
        };
        const sent = await deps.sendMessage(identity.user, { room, clientMsgId: id, text }, sender);
        response.status(sent.duplicate ? 200 : 201).json(sent);
      }),
    )
    .all(wrongMethod('GET, POST'));

  api
    .route('/rooms/:room/presence')
    .get(
      member(async (request, response, { user }) => {
        const room = parsePayload(roomId, request.params.room);
        response.json(await deps.presence(user.id, room));
      }),
    )
    .all(wrongMethod('GET'));

  api
    .route('/rooms/:room')
    .delete(
      member(async (request, response, actor) => {
        await deps.directory.delete(actor, parsePayload(roomId, request.params.room));
        response.json({});
      }),
    )
    .all(wrongMethod('DELETE'));

  api.use('/admin', createAdminRoutes({ ...deps, verify }));
  app.use('/api/v1', api);
  app.post('/edge/leave', edgeLeave(app, deps.handOverFrom));
  app.use((_request, response) => sendProblem(response, new MaruError('not_found', 'there is no such address')));
  app.use(createErrorHandler(deps.logger));
  return app;
}

/**
 * The same rule as for connections. Listed origins may read answers and send preflight requests.
 */
function originGuard(allowed: ReadonlySet<string>) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { origin, host } = request.headers;
    if (!isOriginAllowed(origin, host, allowed)) {
      sendProblem(response, new MaruError('forbidden', 'this origin is not allowed'));
      return;
    }
    if (origin !== undefined && allowed.has(origin)) {
      response.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
      if (request.method === 'OPTIONS') {
        response.set({
          'Access-Control-Allow-Methods': 'GET, POST, DELETE',
          'Access-Control-Allow-Headers': 'Authorization, Content-Type, Idempotency-Key',
          'Access-Control-Max-Age': '600',
        });
        response.status(204).end();
        return;
      }
    }
    next();
  };
}

/**
 * For a proxy that is about to stop: hands over the WebSockets that came through it. The answer
 * comes when they are closed. A proxy can only ask for its own address. Others get the usual 404;
 * so do clients, whose requests are forwarded.
 */
function edgeLeave(app: Express, handOverFrom: ApiDeps['handOverFrom']) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const address = request.socket.remoteAddress ?? '';
    const isTrusted = app.get('trust proxy fn') as (address: string, hop: number) => boolean;
    if (!isTrusted(address, 0) || request.get('X-Forwarded-For') !== undefined) return next();
    await handOverFrom(address);
    response.status(204).end();
  };
}

/** Measures by route pattern, which is a bounded label, never by path. */
function measure(onCall: ApiDeps['onCall']) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    response.once('finish', () => {
      const pattern: unknown = request.route?.path;
      onCall(
        typeof pattern === 'string' ? pattern : 'unknown',
        response.statusCode,
        (performance.now() - startedAt) / 1_000,
      );
    });
    next();
  };
}

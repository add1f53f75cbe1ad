/** The HTTP API under `/api/v1`: for bots and back ends, and for clients before they connect. */
import { LIMITS, MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { isOriginAllowed } from '../edge/origin.ts';
import type { Tokens } from '../identity/tokens.ts';
import { isNestedDeeper } from '../limits/json-depth.ts';
import type { CurrentRoles } from '../sign-in/current-roles.ts';
import { type AdminDeps, createAdminRoutes } from './admin.ts';
import { type AdminClusterDeps, adminClusterRoutes } from './admin-cluster.ts';
import { routerOf } from './calls.ts';
import { type EventCallDeps, eventRoutes } from './event-calls.ts';
import { type MeDeps, meRoutes } from './me.ts';
import { createErrorHandler, sendProblem } from './problem.ts';
import { type RoomDeps, roomRoutes } from './rooms.ts';
import { securityHeaders } from './security-headers.ts';
import { type SignInDeps, signInRoutes } from './sign-in.ts';

export interface ApiDeps
  extends Omit<RoomDeps & EventCallDeps & MeDeps, 'verify' | 'isRevoked'>,
    Omit<SignInDeps, 'tokens' | 'verify' | 'verifyForRenewal'> {
  tokens: Tokens & Pick<EventCallDeps, 'isRevoked'>;
  currentRoles: CurrentRoles;
  /** For calls under `/admin`. */
  readAudit: AdminDeps['readAudit'];
  carryOut: AdminDeps['carryOut'];
  cluster: Omit<AdminClusterDeps, 'verify' | 'userLimit' | 'giveOrder'>;
  allowedOrigins: ReadonlySet<string>;
  trustedProxies: string[];
  /** Hands over the WebSockets whose other end has this address. Resolves when they are closed. */
  handOverFrom: (address: string) => Promise<void>;
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

  const { tokens, currentRoles } = deps;
  const { isRevoked } = tokens;
  const verify = async (token: unknown) => currentRoles(await tokens.verify(token));

  api.use(
    routerOf([
      ...signInRoutes({ ...deps, verify, verifyForRenewal: (token) => tokens.verify(token, true) }),
      ...roomRoutes({ ...deps, verify }),
      ...meRoutes({ ...deps, verify, isRevoked }),
      ...eventRoutes({ ...deps, verify, isRevoked }),
      ...adminClusterRoutes({ ...deps, ...deps.cluster, verify }),
    ]),
  );
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
          'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
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

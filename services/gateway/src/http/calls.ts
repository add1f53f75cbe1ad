/** Shared parts of HTTP API calls: the caller, its rate limit, and allowed methods. */
import { MaruError } from '@maru/protocol';
import express, { type Request, type Response, type Router } from 'express';
import type { Identity } from '../identity/tokens.ts';
import type { KeyedLimit } from '../limits/keyed-limit.ts';

export type Call = (request: Request, response: Response, caller: Identity) => Promise<void>;
export type Handler = (request: Request, response: Response) => Promise<void>;

export interface Callers {
  verify(token: unknown): Promise<Identity>;
  userLimit: KeyedLimit;
}

/** Checks the token and the limit of its user. */
export const signedIn =
  ({ verify, userLimit }: Callers) =>
  (call: Call): Handler =>
  async (request, response) => {
    const identity = await verify(bearerOf(request));
    takeOrThrow(userLimit, identity.user.id);
    await call(request, response, identity);
  };

/** Also checks the role `admin`. */
export const administrators =
  (callers: Callers) =>
  (call: Call): Handler =>
    signedIn(callers)(async (request, response, identity) => {
      if (!identity.roles.includes('admin')) throw new MaruError('forbidden', 'this needs the role admin');
      await call(request, response, identity);
    });

function bearerOf(request: Request): string | undefined {
  return /^Bearer ([\w.~+/=-]+)$/i.exec(request.get('Authorization') ?? '')?.[1];
}

export function takeOrThrow(limit: KeyedLimit, key: string): void {
  const waitMs = limit.take(key);
  if (waitMs > 0) throw new MaruError('rate_limited', 'too many calls', { retryAfterMs: waitMs });
}

export function wrongMethod(allowed: string) {
  return (_request: Request, response: Response): void => {
    response.set('Allow', allowed);
    const problem = {
      title: 'Method not allowed',
      status: 405,
      detail: `this address takes ${allowed}`,
      code: 'invalid',
      retryable: false,
    };
    response
      .status(405)
      .type('application/problem+json')
      .send(JSON.stringify({ type: 'about:blank', ...problem }));
  };
}

/** A handler for a method at a path. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters are in braces, as in OpenAPI. */
  path: string;
  handler: Handler;
}

/** Serves the routes. Other methods at their paths get 405. */
export function routerOf(routes: Route[]): Router {
  const router = express.Router();
  const methods = new Map<string, string[]>();
  for (const { method, path, handler } of routes) {
    const pattern = path.replace(/\{(\w+)\}/g, ':$1');
    methods.set(pattern, [...(methods.get(pattern) ?? []), method]);
    router[METHODS[method]](pattern, handler);
  }
  // After all routes, because one path may match two patterns.
  for (const [pattern, allowed] of methods) router.all(pattern, wrongMethod(allowed.join(', ')));
  return router;
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

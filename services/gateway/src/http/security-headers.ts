/** Headers of every HTTP API response. nginx adds the same to its own responses. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

export function securityHeaders(): RequestHandler[] {
  return [
    helmet({
      // TLS ends at nginx or before it, so nginx sets this header.
      strictTransportSecurity: false,
      // Without helmet's defaults, which allow inline styles. An API response needs none.
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      xFrameOptions: { action: 'deny' },
    }),
    // Responses contain tokens and messages, so they must not be cached.
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
  ];
}

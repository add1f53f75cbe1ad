/** Headers of every answer of the HTTP API. nginx adds the same to what it answers itself. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

export function securityHeaders(): RequestHandler[] {
  return [
    helmet({
      // TLS ends at nginx or before it, so this header is set there.
      strictTransportSecurity: false,
      // Without helmet's defaults, which allow inline styles: an answer is no page.
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      xFrameOptions: { action: 'deny' },
    }),
    // Answers hold tokens and messages.
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
  ];
}

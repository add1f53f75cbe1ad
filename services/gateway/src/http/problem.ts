/** Errors of the HTTP API: RFC 9457, with the same codes as acknowledgements. */
import { MaruError, problemOf } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { ErrorRequestHandler, Response } from 'express';

export function sendProblem(response: Response, error: MaruError): void {
  const problem = problemOf(error);
  const { retryAfterMs } = error;
  if (problem.retryable || retryAfterMs !== undefined)
    response.set('Retry-After', String(Math.max(1, Math.ceil((retryAfterMs ?? 1_000) / 1_000))));
  if (error.code === 'unauthenticated') response.set('WWW-Authenticate', 'Bearer');
  response.status(Number(problem.status)).type('application/problem+json').send(JSON.stringify(problem));
}

/** The last handler: turns every thrown error into an answer from the catalogue. */
export function createErrorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    sendProblem(
      response,
      toMaruError(error, () => logger.error({ err: error, method: request.method }, 'a call failed')),
    );
  };
}

function toMaruError(error: unknown, report: () => void): MaruError {
  if (error instanceof MaruError) return error;
  // Errors of the body parser carry a status: the body was too large or not JSON.
  const status = (error as { status?: unknown }).status;
  if (status === 413) return new MaruError('too_large', 'the body is too large');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new MaruError('invalid', 'the request cannot be read');
  report();
  return new MaruError('internal', 'something went wrong here');
}

/** Calls of a user about their own content: an export, an erasure, and its job. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpSchemas, MaruError, parsePayload } from '@maru/protocol';
import type { Response } from 'express';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { Identity } from '../identity/tokens.ts';
import { eventsOf } from '../limits/answer-cost.ts';
import type { MyData } from '../personal/my-data.ts';
import { type Callers, type Route, signedIn } from './calls.ts';

export interface MeDeps extends Callers {
  myData: MyData;
  /** The token was revoked after it was accepted. */
  isRevoked: (identity: Identity) => boolean;
  /** Closed after a pause of the process. */
  gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>;
}

/** A client that reads no bytes for this long is disconnected. */
const WRITE_TIMEOUT_MS = 30_000;
/** A longer export is cut off. The client continues with the cursor. */
const EXPORT_TIMEOUT_MS = 600_000;

export function meRoutes(deps: MeDeps): Route[] {
  const { myData } = deps;
  const user = signedIn(deps);
  return [
    {
      method: 'GET',
      path: '/me',
      handler: user(async (_request, response, { user: { id, name }, roles, expiresAtS }) => {
        response.json({ user: { id, name, roles }, expiresAt: expiresAtS * 1_000 });
      }),
    },
    {
      method: 'GET',
      path: '/me/export',
      handler: user(async (request, response, identity) => {
        const { cursor } = parsePayload(httpSchemas.export, request.query);
        await sendPages(deps, response, identity, myData.export(identity.user.id, cursor));
      }),
    },
    {
      method: 'DELETE',
      path: '/me',
      handler: user(async (_request, response, identity) => {
        const job = await myData.erase(identity.user);
        response.status(202).location(`/api/v1/me/jobs/${job.job}`).json(job);
      }),
    },
    {
      method: 'GET',
      path: '/me/jobs/{job}',
      handler: user(async (request, response, identity) => {
        const { job } = parsePayload(httpSchemas.job, request.params);
        response.json(await myData.job(identity.user.id, job));
      }),
    },
  ];
}

/**
 * Writes a page when the client has read the previous one, at the rate of other large answers. An
 * error after the first page aborts the response, so the client notices that it is incomplete.
 */
async function sendPages(
  { gate, isRevoked, userLimit }: MeDeps,
  response: Response,
  identity: Identity,
  pages: AsyncGenerator<string>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const late = AbortSignal.timeout(EXPORT_TIMEOUT_MS);
  try {
    for await (const page of pages) {
      if (!gate.isOpen()) await gate.whenOpen();
      if (isRevoked(identity)) throw new MaruError('unauthenticated', 'the token was revoked');
      if (gone.signal.aborted) return;
      late.throwIfAborted();
      if (!response.headersSent) response.status(200).type('application/jsonl');
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]);
      if (!response.write(page)) await once(response, 'drain', { signal });
      userLimit.charge(identity.user.id, eventsOf(Buffer.byteLength(page)));
      for (let waitMs = 1; waitMs > 0; ) {
        waitMs = userLimit.take(identity.user.id);
        if (waitMs > 0) await sleep(waitMs, undefined, { signal: gone.signal });
      }
    }
    response.end();
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy();
  }
}

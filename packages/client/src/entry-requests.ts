/**
 * Sends requests whose answers contain entries. It asks for as many entries as the link can carry
 * in time.
 */
import type { ClientRequests } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import type { Request, Result } from './ack.ts';
import { PageSize } from './page-size.ts';
import type { Scheduler } from './scheduler.ts';

export interface EntryRequestsOptions {
  request: Request;
  scheduler: Scheduler;
  /** If an answer takes longer, the next pages are smaller. */
  lateAfterMs: number;
}

export class EntryRequests {
  readonly #options: EntryRequestsOptions;
  readonly #size: PageSize;
  /** The limits of unanswered requests. */
  readonly #unanswered = new Set<{ limit: number }>();

  constructor(options: EntryRequestsOptions) {
    this.#options = options;
    this.#size = new PageSize(options.lateAfterMs);
  }

  /** Sends the request with a limit of at most `wanted`. */
  ask<N extends 'history:read' | 'messages:read' | 'room:join'>(
    name: N,
    payload: Omit<ClientRequests[N][0], 'limit'>,
    wanted: number | undefined,
    done: (result: Result<ClientRequests[N][1]>) => void,
  ): void {
    const { request, scheduler } = this.#options;
    const asked = { limit: this.#size.of(wanted ?? LIMITS.pageEntriesDefault) };
    const askedAtMs = scheduler.now();
    this.#unanswered.add(asked);
    request(name, { ...payload, ...asked } as ClientRequests[N][0], (result) => {
      this.#unanswered.delete(asked);
      if (result.ok) {
        const got = result.data.messages.length;
        this.#size.answered({ asked: asked.limit, got, tookMs: scheduler.now() - askedAtMs });
      }
      done(result);
    });
  }

  /** The connection ended. If it was silent, a page may have been too large for the link. */
  onLost({ silent }: { silent: boolean }): void {
    if (silent) for (const { limit } of this.#unanswered) this.#size.unanswered(limit);
    this.#unanswered.clear();
  }
}

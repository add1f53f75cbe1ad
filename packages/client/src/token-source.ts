/** Tokens for handshakes, and their renewal on a live connection. */
import type { Request } from './ack.ts';
import { type ClientLogger, describeError } from './logger.ts';
import type { Scheduler } from './scheduler.ts';
import { askForToken, type GetToken } from './token.ts';
import { offerToken } from './token-offer.ts';

export interface TokenSourceOptions {
  getToken: GetToken;
  timeoutMs: number;
  scheduler: Scheduler;
  logger: ClientLogger;
}

export interface Renewal {
  old: string;
  request: Request;
  /** False once the connection was replaced. */
  isCurrent: () => boolean;
  onTaken: (token: string) => void;
  /** The connection cannot accept a token. The next handshake uses it. */
  onUnsupported: () => void;
}

export class TokenSource {
  readonly #options: TokenSourceOptions;
  /** The next handshake requests a new token. */
  refreshNext = false;
  /** A token for the next handshake that the current connection has not accepted. */
  kept: string | null = null;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /** Null if there is no way to get a token. Rejects if it cannot be obtained now. */
  ask(refresh = this.refreshNext): Promise<string | null> {
    return askForToken({ ...this.#options, refresh });
  }

  /** Requests one new token. The current connection accepts it, or the next one uses it. */
  async renew({ old, request, isCurrent, onTaken, onUnsupported }: Renewal): Promise<void> {
    if (this.kept !== null) return;
    const { scheduler, logger } = this.#options;
    try {
      const token = await this.ask(true);
      if (!isCurrent() || token === null || token === old) return;
      this.kept = token;
      offerToken({
        ...{ token, request, scheduler, isCurrent },
        done: (outcome) => {
          if (outcome === 'unsupported') return onUnsupported();
          this.kept = null;
          if (outcome === 'taken') onTaken(token);
        },
      });
    } catch (error) {
      logger.warn('no new token before the old one expires', { error: describeError(error) });
    }
  }
}

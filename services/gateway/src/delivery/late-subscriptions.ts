/**
 * Channels that the server may subscribe although no handler is left: a command that missed its
 * deadline is still carried out when the server goes on. Pure.
 */

/** Above it, the oldest are forgotten. Each of them costs announcements without a reader. */
const CHANNELS_MAX = 10_000;

export class LateSubscriptions {
  readonly #channels = new Set<string>();

  note(channel: string): void {
    this.#channels.delete(channel);
    this.#channels.add(channel);
    if (this.#channels.size <= CHANNELS_MAX) return;
    const [oldest = ''] = this.#channels;
    this.#channels.delete(oldest);
  }

  /** Gives the noted channels that must be unsubscribed, and forgets all. */
  take(isWanted: (channel: string) => boolean): string[] {
    const unwanted = [...this.#channels].filter((channel) => !isWanted(channel));
    this.#channels.clear();
    return unwanted;
  }
}

/** One watched room: its mirror, and the snapshot that is being fetched for it. */
import type { DiffMessage, RoomAnswer } from '@maru/presence-api';
import type { PresenceDiff } from '@maru/protocol';
import { RoomMirror } from './room-mirror.ts';

/** More differences than normally arrive within the deadline of a snapshot. */
const HELD_MAX = 16;

export class WatchedRoom {
  readonly name: string;
  readonly mirror: RoomMirror;
  /** The mirror may lack differences, so it MUST NOT answer. */
  isBehind = false;
  readonly #onDiff: (diff: PresenceDiff) => void;
  readonly #read: () => Promise<RoomAnswer>;
  #fetching: Promise<void> | undefined;
  /** Differences that did not fit while a snapshot was being fetched. They may follow it. */
  #held: DiffMessage[] = [];
  #isClosed = false;

  /** `read` fetches the room from the service. It rejects with `unavailable`. */
  constructor(name: string, onDiff: (diff: PresenceDiff) => void, read: () => Promise<RoomAnswer>) {
    this.name = name;
    this.mirror = new RoomMirror(name);
    this.#onDiff = onDiff;
    this.#read = read;
  }

  /** `gap`: the caller MUST call `refetch`. */
  receive(diff: DiffMessage): 'ok' | 'gap' {
    if (this.isBehind && this.#fetching !== undefined) {
      this.#hold(diff);
      return 'ok';
    }
    if (this.#apply(diff)) return 'ok';
    if (this.#fetching === undefined) return 'gap';
    this.isBehind = true;
    this.#hold(diff);
    return 'ok';
  }

  /** Fetches a snapshot. Concurrent calls share one request. Rejects with `unavailable`. */
  fetch(): Promise<void> {
    this.#fetching ??= this.#fetch();
    return this.#fetching;
  }

  /** Fetches a snapshot and accepts an older version too, because Redis may have lost writes. */
  refetch(): Promise<void> {
    this.isBehind = true;
    return this.fetch();
  }

  /** No differences are delivered after this. */
  close(): void {
    this.#isClosed = true;
  }

  async #fetch(): Promise<void> {
    try {
      const answer = await this.#read();
      // A difference may have overtaken the answer.
      const { version } = this.mirror;
      if (!this.isBehind && version !== undefined && answer.version !== 0 && answer.version < version) return;
      const step = this.mirror.reset(answer);
      if (this.#isClosed) return;
      if (step.result === 'applied' && step.diff !== undefined) this.#onDiff(step.diff);
      this.isBehind = this.#held.some((diff) => !this.#apply(diff));
    } finally {
      this.#held = [];
      this.#fetching = undefined;
    }
  }

  #hold(diff: DiffMessage): void {
    if (this.#held.length < HELD_MAX) this.#held.push(diff);
  }

  /** False if the difference does not fit. */
  #apply(diff: DiffMessage): boolean {
    const step = this.mirror.apply(diff);
    if (step.result === 'applied' && step.diff !== undefined) this.#onDiff(step.diff);
    return step.result !== 'gap';
  }
}

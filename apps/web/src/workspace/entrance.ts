/** Joins a room without creating it unintentionally. */
import type { ChatClient, Scheduler } from '@maru/client';
import { MaruError } from '@maru/protocol/errors';
import { findRoom } from './find-room.ts';
import type { EnteredState } from './room-view.ts';

/** Number of entries to request with the first join. */
const JOIN_ENTRIES = 100;

export interface EntranceOptions {
  client: ChatClient;
  scheduler: Scheduler;
  room: string;
  /** Whether the room is known to exist, so a join does not create it. */
  isKnown: () => boolean;
  onState: (state: EnteredState) => void;
}

export class Entrance {
  readonly #options: EntranceOptions;
  #giveUp = () => {};
  #withPresence = false;
  #isCreating = false;
  #isClosed = false;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** `mayCreate`: joining may make the room. */
  enter(mayCreate: boolean): void {
    const { client, scheduler, room, isKnown, onState } = this.#options;
    this.#giveUp();
    if (mayCreate || isKnown()) {
      this.#join();
      return;
    }
    onState({ kind: 'looking' });
    this.#giveUp = findRoom({
      ...{ client, scheduler, room },
      onFound: () => this.#join(),
      onMissing: () => onState({ kind: 'missing', problem: null }),
    });
  }

  /** Creates the public room. The user becomes its owner. */
  create(): void {
    if (this.#isCreating) return;
    this.#isCreating = true;
    const { client, room, onState } = this.#options;
    const end = (then: () => void) => {
      this.#isCreating = false;
      if (!this.#isClosed) then();
    };
    client.moderation.createRoom({ visibility: 'public', room }).then(
      () => end(() => this.#join()),
      (error: unknown) => {
        if (!(error instanceof MaruError)) throw error;
        // Another user has created it since.
        if (error.code === 'conflict') end(() => this.#join());
        else end(() => onState({ kind: 'missing', problem: error.code }));
      },
    );
  }

  setPresence(isWanted: boolean): void {
    const { client, room } = this.#options;
    this.#withPresence = isWanted;
    if (client.status(room) !== null) client.join(room, { presence: isWanted });
  }

  close(): void {
    this.#isClosed = true;
    this.#giveUp();
  }

  #join(): void {
    const { client, room, onState } = this.#options;
    onState({ kind: 'joining' });
    client.join(room, { limit: JOIN_ENTRIES, presence: this.#withPresence });
  }
}

/** Own acts of one room: shown at once, until their entries have arrived or they were refused. */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { ChatClient } from '../chat-client.ts';
import type { OutgoingAct } from '../events.ts';
import type { MessageAct } from '../outgoing.ts';
import type { RoomModel } from './model-state.ts';
import { addAct, dropActs, markStored, type Overlay } from './overlay.ts';
import type { ActOutcome } from './types.ts';

const CLOSED: ErrorBody = { code: 'unavailable', message: 'the conversation was closed', retryable: true };

export interface OwnActsOptions {
  client: Pick<ChatClient, 'act'>;
  room: string;
  onChange: () => void;
}

export class OwnActs {
  readonly #options: OwnActsOptions;
  readonly #outcomes = new Map<string, (outcome: ActOutcome) => void>();
  #overlay: Overlay = new Map();

  constructor(options: OwnActsOptions) {
    this.#options = options;
  }

  get overlay(): Overlay {
    return this.#overlay;
  }

  act(act: MessageAct): Promise<ActOutcome> {
    const { client, room, onChange } = this.#options;
    return new Promise((resolve) => {
      try {
        const { clientMsgId } = client.act(room, act);
        this.#outcomes.set(clientMsgId, resolve);
        this.#overlay = addAct(this.#overlay, { clientMsgId, act, storedAt: null });
        onChange();
      } catch (error) {
        if (!(error instanceof MaruError)) throw error;
        resolve({ ok: false, error: error.toBody() });
      }
    });
  }

  onAct({ clientMsgId, state }: OutgoingAct, model: RoomModel): void {
    const resolve = this.#outcomes.get(clientMsgId);
    if (resolve === undefined || state.kind === 'sending') return;
    this.#outcomes.delete(clientMsgId);
    if (state.kind === 'failed') {
      this.#overlay = dropActs(this.#overlay, (pending) => pending.clientMsgId === clientMsgId);
      resolve({ ok: false, error: state.error });
    } else {
      this.#overlay = markStored(this.#overlay, clientMsgId, state.position);
      this.onModel(model);
      resolve({ ok: true, seq: state.position.seq, duplicate: state.duplicate ?? false });
    }
    this.#options.onChange();
  }

  /** What the model shows by itself is shown here no longer. */
  onModel({ epoch, position, messages }: RoomModel): void {
    if (this.#overlay.size === 0) return;
    this.#overlay = dropActs(this.#overlay, ({ act, storedAt }) => {
      if (storedAt === null) return false;
      const asOf = Math.max(position ?? 0, messages.get(act.seq)?.asOf ?? 0);
      return storedAt.epoch !== epoch || asOf >= storedAt.seq;
    });
  }

  close(): void {
    for (const resolve of this.#outcomes.values()) resolve({ ok: false, error: CLOSED });
    this.#outcomes.clear();
  }
}

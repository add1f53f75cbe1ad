/**
 * Own acts in one room. They are shown immediately, until their entries have arrived or they are
 * refused.
 */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { ChatClient } from '../chat-client.ts';
import type { OutgoingAct } from '../events.ts';
import type { MessageAct } from '../outgoing.ts';
import type { Drafts } from './drafts.ts';
import type { RoomModel } from './model-state.ts';
import { addAct, dropActs, heldDeletion, markStored, type Overlay } from './overlay.ts';
import type { ActOutcome } from './types.ts';

const CLOSED: ErrorBody = { code: 'unavailable', message: 'the conversation was closed', retryable: true };

export interface OwnActsOptions {
  client: Pick<ChatClient, 'act' | 'pendingActs'>;
  room: string;
  drafts: Pick<Drafts, 'keepRefused'>;
  onChange: () => void;
}

export class OwnActs {
  readonly #options: OwnActsOptions;
  readonly #outcomes = new Map<string, (outcome: ActOutcome) => void>();
  #overlay: Overlay = new Map();

  constructor(options: OwnActsOptions) {
    this.#options = options;
    for (const { room, clientMsgId, act } of options.client.pendingActs()) {
      if (room === options.room) this.#overlay = addAct(this.#overlay, { clientMsgId, act, storedAt: null });
    }
  }

  get overlay(): Overlay {
    return this.#overlay;
  }

  act(act: MessageAct): Promise<ActOutcome> {
    const { client, room, drafts } = this.#options;
    return new Promise((resolve) => {
      try {
        const { clientMsgId } = client.act(room, act);
        this.#outcomes.set(clientMsgId, resolve);
      } catch (error) {
        if (!(error instanceof MaruError)) throw error;
        // It was not queued, so no event tells of it.
        drafts.keepRefused(room, act, error.toBody());
        resolve({ ok: false, error: error.toBody() });
      }
    });
  }

  /** Shows a deletion that is not sent yet. */
  show(seq: number): void {
    this.#overlay = addAct(this.#overlay, heldDeletion(seq));
    this.#options.onChange();
  }

  hide(seq: number): void {
    const { clientMsgId } = heldDeletion(seq);
    const overlay = dropActs(this.#overlay, (pending) => pending.clientMsgId === clientMsgId);
    if (overlay === this.#overlay) return;
    this.#overlay = overlay;
    this.#options.onChange();
  }

  /** Also for acts that were sent before a reload. No caller waits for those. */
  onAct({ clientMsgId, act, state }: OutgoingAct, model: RoomModel): void {
    const resolve = this.#outcomes.get(clientMsgId) ?? (() => {});
    this.#outcomes.delete(clientMsgId);
    if (state.kind === 'sending') {
      this.#overlay = addAct(this.#overlay, { clientMsgId, act, storedAt: null });
    } else if (state.kind === 'failed') {
      this.#overlay = dropActs(this.#overlay, (pending) => pending.clientMsgId === clientMsgId);
      resolve({ ok: false, error: state.error });
    } else {
      this.#overlay = markStored(this.#overlay, clientMsgId, state.position);
      this.onModel(model);
      resolve({ ok: true, seq: state.position.seq, duplicate: state.duplicate ?? false });
    }
    this.#options.onChange();
  }

  /** Removes acts that the model already contains. */
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

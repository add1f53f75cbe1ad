/**
 * Builds the views for a host from the model and pending own messages and acts. Pure, except for
 * its cache.
 */
import type { OutgoingMessage } from '../events.ts';
import type { HostPages } from './host-pages.ts';
import type { KnownMessage } from './message.ts';
import { type RoomModel, THREAD_MESSAGES_MAX } from './model-state.ts';
import { messageWith, type Overlay, type PendingAct } from './overlay.ts';
import { threadSeqs, windowSeqs } from './room-model.ts';
import type { ConversationView, Message, MessageList, PinsView, ThreadView } from './types.ts';

const NO_ACTS: readonly PendingAct[] = [];

interface Cached {
  known: KnownMessage;
  acts: readonly PendingAct[];
  message: Message;
}

/** A message object stays the same until the message changes. */
export class MessageCache {
  #messages = new Map<number, Cached>();

  /** Messages that are no longer in the model are dropped. */
  keepOnly(model: RoomModel): void {
    if (this.#messages.size <= model.messages.size) return;
    this.#messages = new Map([...this.#messages].filter(([seq]) => model.messages.has(seq)));
  }

  get(model: RoomModel, overlay: Overlay, seq: number): Message | null {
    const known = model.messages.get(seq);
    if (known === undefined) return null;
    const acts = overlay.get(seq) ?? NO_ACTS;
    const cached = this.#messages.get(seq);
    if (cached?.known === known && cached.acts === acts) return cached.message;
    const message = messageWith(known, acts, model.ownId);
    this.#messages.set(seq, { known, acts, message });
    return message;
  }
}

/** A thread is identified by its root. */
export type ViewOf = number | 'pins' | 'room';
export type AnyView = ConversationView | ThreadView | PinsView;

/** A view object stays the same until something changes. */
export class ViewCache {
  readonly #views = new Map<ViewOf, AnyView>();

  get<V extends AnyView>(of: ViewOf, build: () => V): V {
    const known = this.#views.get(of);
    if (known !== undefined) return known as V;
    const view = build();
    this.#views.set(of, view);
    return view;
  }

  clear(): void {
    this.#views.clear();
  }
}

export interface ViewParts {
  model: RoomModel;
  overlay: Overlay;
  cache: MessageCache;
  outgoing: readonly OutgoingMessage[];
  pages: Pick<HostPages, 'isLoading' | 'error'>;
}

const messagesOf = ({ model, overlay, cache }: ViewParts, seqs: readonly number[]): Message[] =>
  seqs.flatMap((seq) => cache.get(model, overlay, seq) ?? []);

export function windowView(
  parts: ViewParts,
): MessageList & Pick<ConversationView, 'isReady' | 'newer' | 'jump' | 'place'> {
  const { model, outgoing, pages } = parts;
  const { window } = model;
  return {
    isReady: window !== null,
    messages: messagesOf(parts, windowSeqs(model)),
    hasOlder: window?.hasOlder ?? false,
    hasNewer: window !== null && window.to !== null,
    isLoading: window === null || pages.isLoading('older'),
    error: pages.error('older'),
    newer: { isLoading: pages.isLoading('newer'), error: pages.error('newer') },
    jump: { isLoading: model.target !== null, error: pages.error('jump') },
    place: model.place,
    outgoing,
  };
}

export function threadView(parts: ViewParts, root: number): ThreadView {
  const { model, overlay, cache, outgoing } = parts;
  const slice = model.threads.get(root)?.slice ?? null;
  const messages = messagesOf(parts, slice === null ? [] : threadSeqs(model, root));
  return {
    root: cache.get(model, overlay, root),
    messages,
    // A thread at its maximum shows no older messages.
    hasOlder: (slice?.hasOlder ?? false) && messages.length < THREAD_MESSAGES_MAX,
    hasNewer: false,
    isLoading: slice === null || parts.pages.isLoading(root),
    error: parts.pages.error(root),
    outgoing: outgoing.filter(({ thread }) => thread === root),
  };
}

export function pinsView(parts: ViewParts): PinsView {
  const { model } = parts;
  const seqs = [...model.messages.keys()].sort((a, b) => a - b);
  return { isReady: model.pins === 'known', messages: messagesOf(parts, seqs).filter(({ pinned }) => pinned) };
}

/**
 * The scroll position of the message list.
 *
 * At the end of the list, it follows new messages. Elsewhere, the message that the reader sees
 * stays in place (`anchor.ts`). A room opens at the unread line if the unread messages do not fit
 * on the screen, else at its end. A room that was shown before opens where the reader left it.
 */
import { systemScheduler } from '@maru/client';
import type { ConversationView } from '@maru/client/conversation';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { isPageLookedAt } from '../hooks.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import { belowScreen, findAnchor, type HeldAnchor, hold, lastSeen, rowOf, scrollToEnd, topIn } from './anchor.ts';

/** Distance from the end that still counts as the end. */
const END_PX = 48;
/** Pages load before the reader reaches them: this many screens ahead. */
const AHEAD_SCREENS = 1.5;
/** Place of the unread line, as a fraction of the screen. The messages above it give context. */
const LINE_AT = 0.2;
/**
 * How long the list may stay hidden. If the server has not sent the read position by then, the list
 * shows its end.
 */
const HIDDEN_MAX_MS = 1_000;
const FOCUS_FRAMES = 4;

export interface ListPosition {
  /**
   * The list has not decided yet where to open, because the read position is not known. `isHidden`:
   * the list is invisible while it waits, for `HIDDEN_MAX_MS` at most.
   */
  isOpening: boolean;
  isHidden: boolean;
  /** The newest loaded message is on the screen. The list follows new messages. */
  isAtEnd: boolean;
  /** Whether the unread line is above or below the screen. Null once the reader has seen it. */
  line: 'above' | 'below' | null;
  /** Number of messages below the screen. Counted only while there are unread messages. */
  below: number;
}

/**
 * The number of messages above the unread line. It identifies the line: each line has another
 * number.
 */
const lineOf = ({ n, sinceLine }: ConversationView): number => n - sinceLine;

/** A user without a read position is new in the room, so no message counts as old. */
const NO_LINE = 0;

export class ListScroll {
  readonly #store: RoomStore;
  readonly #listeners = new Set<() => void>();
  #list: ConversationView;
  #box: HTMLElement | null = null;
  #position: ListPosition;
  #isAtEnd: boolean;
  /** The reader asked for the end, and it is still loading. */
  #goesToEnd = false;
  #opening: 'undecided' | 'to-line' | 'done';
  #anchor: HeldAnchor | null;
  /** The last jump that the list has shown. */
  #shown: ConversationView['place'];
  #seenLine: number | null;
  #mayHide = true;
  /** Height of the content when the anchor was found. */
  #height = 0;
  /** Scroll position when the anchor was found. */
  #top = 0;

  constructor(store: RoomStore) {
    const left = store.place;
    this.#store = store;
    this.#list = store.get().list;
    this.#isAtEnd = left?.isAtEnd ?? true;
    this.#opening = this.#isAtEnd ? 'undecided' : 'done';
    this.#anchor = left?.anchor ? { ...left.anchor, scrollTop: 0, isLost: true } : null;
    this.#shown = left?.shown ?? null;
    this.#seenLine = left?.seenLine ?? null;
    const isOpening = this.#isAtEnd;
    this.#position = { isOpening, isHidden: isOpening, isAtEnd: this.#isAtEnd, line: null, below: 0 };
  }

  readonly get = (): ListPosition => this.#position;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** `content`: the element inside the list. Its rows can change height without a render. */
  attach(box: HTMLElement, content: HTMLElement): () => void {
    this.#box = box;
    const observer = new ResizeObserver(() => {
      this.#keep(box);
      this.#note(box);
    });
    observer.observe(box);
    observer.observe(content);
    const cancel = systemScheduler.after(HIDDEN_MAX_MS, () => {
      this.#mayHide = false;
      this.#note(box);
    });
    return () => {
      observer.disconnect();
      cancel();
      this.#box = null;
    };
  }

  /** Call it after each render and before the browser paints. */
  onRender(list: ConversationView): void {
    const box = this.#box;
    this.#list = list;
    if (box === null) return;
    if (!list.hasNewer || list.jump.error !== null) this.#goesToEnd = false;
    if (!this.#showPlace(box)) this.#keep(box);
    this.#open(box);
    if (!this.#isAtEnd || list.hasNewer) this.#readAhead(box);
    this.#note(box);
  }

  readonly onScroll = (): void => {
    const box = this.#box;
    if (box === null) return;
    // If rows shrink, the browser scrolls, and sends this event before the ResizeObserver reports.
    if (box.scrollHeight !== this.#height && !this.#isAtEnd && this.#anchor !== null) hold(box, this.#anchor);
    if (!this.#goesToEnd) this.#isAtEnd = !this.#list.hasNewer && belowScreen(box) <= END_PX;
    // The reader has scrolled before the list decided where to open.
    if (!this.#isAtEnd) this.#opening = 'done';
    this.#note(box);
    this.#readAhead(box);
  };

  readonly toEnd = (): void => {
    this.#opening = 'done';
    this.#isAtEnd = true;
    this.#goesToEnd = true;
    if (this.#box === null) return;
    scrollToEnd(this.#box);
    this.#note(this.#box);
  };

  readonly toLine = (): void => {
    this.#seenLine = lineOf(this.#list);
    this.#store.jumpTo('unread');
  };

  #keep(box: HTMLElement): void {
    if (this.#isAtEnd && this.#isLeaving(box)) this.#isAtEnd = false;
    if (this.#isAtEnd && !this.#list.hasNewer) scrollToEnd(box);
    else if (this.#anchor !== null) hold(box, this.#anchor);
  }

  /** The reader has scrolled up, but the scroll event comes only with the next frame. */
  #isLeaving(box: HTMLElement): boolean {
    return !this.#goesToEnd && box.scrollTop < this.#top - END_PX && belowScreen(box) > END_PX;
  }

  /** Shows the target of the last jump, once. Returns whether it did. */
  #showPlace(box: HTMLElement): boolean {
    const { place } = this.#list;
    if (place === null) this.#shown = null;
    if (place === null || place === this.#shown) return false;
    const row = rowOf(box, place.seq);
    if (row === null) return false;
    this.#shown = place;
    this.#opening = 'done';
    this.#goesToEnd = false;
    if (place.isLine) this.#showLine(box);
    else showRow(row);
    // A list that is too short to scroll sends no scroll event.
    this.#isAtEnd = !this.#list.hasNewer && belowScreen(box) <= END_PX;
    return true;
  }

  #showLine(box: HTMLElement): void {
    this.#seenLine = lineOf(this.#list);
    const line = box.querySelector<HTMLElement>('.unread');
    if (line !== null) box.scrollTop += topIn(box, line) - box.clientHeight * LINE_AT;
  }

  #open(box: HTMLElement): void {
    const { isReady, read, unread, jump, place, isLineAbove } = this.#list;
    if (this.#opening === 'done') return;
    if (place !== null || (jump.error !== null && this.#opening === 'to-line')) this.#opening = 'done';
    if (this.#opening !== 'undecided' || !isReady || read === null || jump.isLoading) return;
    this.#opening = 'done';
    if (unread === 0) this.#store.conversation.moveLine();
    else if (lineOf(this.#list) === NO_LINE) return;
    else if (isLineAbove) {
      this.#opening = 'to-line';
      this.#store.jumpTo('unread');
    } else this.#openHere(box);
  }

  #openHere(box: HTMLElement): void {
    const line = box.querySelector<HTMLElement>('.unread');
    if (line === null || topIn(box, line) >= 0) return;
    this.#showLine(box);
    this.#isAtEnd = belowScreen(box) <= END_PX;
  }

  /**
   * Loads the next page before the reader reaches its place. After a failure, it loads only on
   * request.
   */
  #readAhead(box: HTMLElement): void {
    const { jump, hasOlder, isLoading, error, hasNewer, newer } = this.#list;
    if (jump.isLoading || box.scrollHeight <= box.clientHeight) return;
    const ahead = this.#isAtEnd && !hasNewer ? 0 : box.clientHeight * AHEAD_SCREENS;
    if (box.scrollTop <= ahead && hasOlder && !isLoading && error === null) this.#store.loadOlder();
    if (belowScreen(box) <= ahead + END_PX && hasNewer && !newer.isLoading && newer.error === null)
      this.#store.conversation.loadNewer();
  }

  #note(box: HTMLElement): void {
    if (box.clientHeight === 0) return;
    const list = this.#list;
    this.#anchor = findAnchor(box) ?? this.#anchor;
    this.#height = box.scrollHeight;
    this.#top = box.scrollTop;
    const isOpening = this.#opening !== 'done';
    this.#store.conversation.look(Number(this.#anchor?.seq ?? 0) || null, this.#isAtEnd && !list.hasNewer);
    this.#setPosition({
      isOpening,
      isHidden: isOpening && this.#mayHide,
      isAtEnd: this.#isAtEnd,
      line: isOpening ? null : this.#lineAt(box),
      below: list.unread === 0 ? 0 : this.#below(box),
    });
    const [anchor, shown, seenLine] = [this.#anchor, this.#shown, this.#seenLine];
    this.#store.place = { isAtEnd: this.#isAtEnd, anchor, shown, seenLine };
  }

  #setPosition(next: ListPosition): void {
    const was = this.#position;
    const names = ['isOpening', 'isHidden', 'isAtEnd', 'line', 'below'] as const;
    if (names.every((name) => next[name] === was[name])) return;
    this.#position = next;
    for (const listener of [...this.#listeners]) listener();
  }

  #lineAt(box: HTMLElement): ListPosition['line'] {
    const { read, sinceLine, isLineAbove, unreadLine, hasNewer } = this.#list;
    const isSeen = [NO_LINE, this.#seenLine].includes(lineOf(this.#list));
    if (read === null || sinceLine === 0 || isSeen) return null;
    if (isLineAbove) return 'above';
    const line = box.querySelector<HTMLElement>('.unread');
    if (unreadLine === null || line === null) return unreadLine === null && hasNewer ? 'below' : null;
    const top = topIn(box, line);
    if (top < 0) return 'above';
    if (top + line.offsetHeight > box.clientHeight) return 'below';
    if (isPageLookedAt()) this.#seenLine = lineOf(this.#list);
    return null;
  }

  #below(box: HTMLElement): number {
    const seq = lastSeen(box);
    const seen = seq === null ? undefined : this.#list.messages.find((message) => message.seq === seq);
    return seen === undefined ? 0 : Math.max(0, this.#list.n - seen.n);
  }
}

export function useListScroll(list: ConversationView, store: RoomStore) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const scroll = useMemo(() => new ListScroll(store), [store]);
  useLayoutEffect(() => {
    if (box.current !== null && content.current !== null) return scroll.attach(box.current, content.current);
  }, [scroll]);
  useLayoutEffect(() => scroll.onRender(list));
  const lastOutgoing = list.outgoing.at(-1)?.clientMsgId;
  const sent = useRef(lastOutgoing);
  // Scroll to the own message after sending it.
  useEffect(() => {
    if (lastOutgoing !== undefined && lastOutgoing !== sent.current) scroll.toEnd();
    sent.current = lastOutgoing;
  }, [lastOutgoing, scroll]);
  return { box, content, scroll };
}

/** Scrolls to a message and focuses it. */
function showRow(row: HTMLElement): void {
  row.tabIndex = -1;
  row.scrollIntoView({ block: 'center' });
  focusAfter(row, FOCUS_FRAMES);
}

/**
 * Focuses the row after some frames, because a dialog that closes now returns the focus a few
 * frames later.
 */
function focusAfter(row: HTMLElement, frames: number): void {
  if (frames > 0) requestAnimationFrame(() => focusAfter(row, frames - 1));
  else row.focus({ preventScroll: true });
}

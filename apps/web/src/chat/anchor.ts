/**
 * Keeps one message at its place on the screen while rows around it are added, removed or resized.
 * The cause may be a render, a part that loads later, or a window resize.
 */

/** Identifies a row by its lower edge, because loading older rows changes the upper edge. */
export interface Anchor {
  seq: string;
  /** Distance from the upper edge of the list. */
  bottom: number;
}

export interface HeldAnchor extends Anchor {
  scrollTop: number;
  /** The row was removed since, for example because the room was read again. */
  isLost: boolean;
}

/**
 * Smaller differences are ignored: even an assignment without effect would stop a scroll gesture.
 */
const MOVED_PX = 0.5;

export const rowOf = (box: HTMLElement, seq: number | string): HTMLElement | null =>
  box.querySelector<HTMLElement>(`.message[data-seq="${seq}"]`);

/** Distance of the element from the upper edge of the list. */
export const topIn = (box: HTMLElement, element: HTMLElement): number =>
  element.getBoundingClientRect().top - box.getBoundingClientRect().top;

const bottomIn = (box: HTMLElement, row: HTMLElement): number => topIn(box, row) + row.getBoundingClientRect().height;

/**
 * Returns the rows of stored messages, and the index of the first one whose lower edge is below
 * `y`. `y` is a coordinate of the scrolled content.
 */
function rowsAt(box: HTMLElement, y: number): { rows: NodeListOf<HTMLElement>; index: number } {
  const rows = box.querySelectorAll<HTMLElement>('.message[data-seq]:not([data-seq=""])');
  // A binary search works because the edges ascend.
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row !== undefined && row.offsetTop + row.offsetHeight <= y) low = middle + 1;
    else high = middle;
  }
  return { rows, index: low };
}

/** The first message that begins on the screen. If none does, the message that fills the screen. */
export function findAnchor(box: HTMLElement): HeldAnchor | null {
  const { rows, index } = rowsAt(box, box.scrollTop);
  const [first, next] = [rows[index], rows[index + 1]];
  const isCut = first !== undefined && first.offsetTop < box.scrollTop;
  const isNextShown = next !== undefined && next.offsetTop < box.scrollTop + box.clientHeight;
  const row = isCut && isNextShown ? next : first;
  if (row === undefined) return null;
  return { seq: row.dataset.seq ?? '', bottom: bottomIn(box, row), scrollTop: box.scrollTop, isLost: false };
}

/** The seq of the last message that ends on the screen. */
export function lastSeen(box: HTMLElement): number | null {
  const { rows, index } = rowsAt(box, box.scrollTop + box.clientHeight + 1);
  const seq = rows[index - 1]?.dataset.seq;
  return seq === undefined ? null : Number(seq);
}

/** Scrolls so that the anchor is where it was, plus what the reader has scrolled since. */
export function hold(box: HTMLElement, anchor: HeldAnchor): void {
  const row = rowOf(box, anchor.seq);
  if (row === null) {
    anchor.isLost = true;
    return;
  }
  // If the content below became shorter, the browser has already scrolled up.
  const isClamped = box.scrollTop < anchor.scrollTop && box.scrollTop >= box.scrollHeight - box.clientHeight - 1;
  const scrolled = anchor.isLost || isClamped ? 0 : box.scrollTop - anchor.scrollTop;
  const drift = bottomIn(box, row) + scrolled - anchor.bottom;
  if (Math.abs(drift) >= MOVED_PX) box.scrollTop += drift;
}

export const scrollToEnd = (box: HTMLElement): void => {
  box.scrollTop = box.scrollHeight;
};

export const belowScreen = (box: HTMLElement): number => box.scrollHeight - box.scrollTop - box.clientHeight;

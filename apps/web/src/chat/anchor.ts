/**
 * A message on the screen that stays where it is, whatever is added, dropped or resized around it:
 * by a render, by a part that loads later, or by the window.
 */

/** Where its lower edge is: rows change at their upper edge when older ones come. */
export interface Anchor {
  seq: string;
  /** From the upper edge of the list. */
  bottom: number;
}

export interface HeldAnchor extends Anchor {
  scrollTop: number;
  /** The row was gone since, as while the room is read anew. */
  isLost: boolean;
}

/** Even an assignment that changes nothing would stop a gesture. */
const MOVED_PX = 0.5;

export const rowOf = (box: HTMLElement, seq: number | string): HTMLElement | null =>
  box.querySelector<HTMLElement>(`.message[data-seq="${seq}"]`);

/** From the upper edge of the list. */
export const topIn = (box: HTMLElement, element: HTMLElement): number =>
  element.getBoundingClientRect().top - box.getBoundingClientRect().top;

const bottomIn = (box: HTMLElement, row: HTMLElement): number => topIn(box, row) + row.getBoundingClientRect().height;

/**
 * The rows of stored messages, and the first of them whose lower edge is below `y` of the content.
 */
function rowsAt(box: HTMLElement, y: number): { rows: NodeListOf<HTMLElement>; index: number } {
  const rows = box.querySelectorAll<HTMLElement>('.message[data-seq]:not([data-seq=""])');
  // Their positions ascend.
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row !== undefined && row.offsetTop + row.offsetHeight <= y) low = middle + 1;
    else high = middle;
  }
  return { rows, index: low };
}

/** The first message that begins on the screen, or the one that fills it. */
export function findAnchor(box: HTMLElement): HeldAnchor | null {
  const { rows, index } = rowsAt(box, box.scrollTop);
  const [first, next] = [rows[index], rows[index + 1]];
  const isCut = first !== undefined && first.offsetTop < box.scrollTop;
  const isNextShown = next !== undefined && next.offsetTop < box.scrollTop + box.clientHeight;
  const row = isCut && isNextShown ? next : first;
  if (row === undefined) return null;
  return { seq: row.dataset.seq ?? '', bottom: bottomIn(box, row), scrollTop: box.scrollTop, isLost: false };
}

/** The last message that ends on the screen. */
export function lastSeen(box: HTMLElement): number | null {
  const { rows, index } = rowsAt(box, box.scrollTop + box.clientHeight + 1);
  const seq = rows[index - 1]?.dataset.seq;
  return seq === undefined ? null : Number(seq);
}

/** Moves the list so that the anchor is where it was, plus what the reader has scrolled since. */
export function hold(box: HTMLElement, anchor: HeldAnchor): void {
  const row = rowOf(box, anchor.seq);
  if (row === null) {
    anchor.isLost = true;
    return;
  }
  // With less below, the browser scrolls up by itself.
  const isClamped = box.scrollTop < anchor.scrollTop && box.scrollTop >= box.scrollHeight - box.clientHeight - 1;
  const scrolled = anchor.isLost || isClamped ? 0 : box.scrollTop - anchor.scrollTop;
  const drift = bottomIn(box, row) + scrolled - anchor.bottom;
  if (Math.abs(drift) >= MOVED_PX) box.scrollTop += drift;
}

export const scrollToEnd = (box: HTMLElement): void => {
  box.scrollTop = box.scrollHeight;
};

export const belowScreen = (box: HTMLElement): number => box.scrollHeight - box.scrollTop - box.clientHeight;

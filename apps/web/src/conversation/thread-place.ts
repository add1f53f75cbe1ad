/** The scroll position in the replies of a thread. It is kept while the thread is hidden. */
import type { Thread, ThreadView } from '@maru/client/conversation';
import { useCallback, useLayoutEffect, useRef } from 'preact/hooks';
import { belowScreen, findAnchor, type HeldAnchor, hold, rowOf, scrollToEnd } from '../chat/anchor.ts';

export interface ThreadPlace {
  /** Null at the end. There, new replies stay on the screen. */
  anchor: HeldAnchor | null;
}

/** Distance from the end that still counts as the end. */
const END_PX = 48;

/** Keeps the position of the scrolling element. Loads older replies until the anchor is found. */
export function useThreadPlace(place: ThreadPlace, thread: Thread, list: ThreadView) {
  const scroller = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // The rows are new, so the anchor must be found again.
    if (place.anchor !== null) place.anchor.isLost = true;
  }, [place]);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || list.root === null) return;
    const { anchor } = place;
    if (anchor === null) return scrollToEnd(box);
    if (rowOf(box, anchor.seq) !== null) {
      hold(box, anchor);
      place.anchor = findAnchor(box);
    } else if (list.isLoading) return;
    else if (list.hasOlder && list.error === null) thread.loadOlder();
    else place.anchor = null;
  });
  const onScroll = () => {
    const box = scroller.current;
    if (box === null || place.anchor?.isLost) return;
    place.anchor = belowScreen(box) <= END_PX ? null : findAnchor(box);
  };
  /** The reader asks for older replies. What is on the screen must stay in place. */
  const leaveEnd = useCallback(() => {
    if (scroller.current !== null) place.anchor ??= findAnchor(scroller.current);
  }, [place]);
  return { scroller, onScroll, leaveEnd };
}

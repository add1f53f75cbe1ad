/** A small popup beside the element that opened it. On a narrow window, it is at the lower edge. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { keepFocus } from './keep-focus.ts';

export interface AnchoredProps {
  at: HTMLElement;
  label: string;
  testId: string;
  onClose: () => void;
  children: ComponentChildren;
}

const GAP_PX = 4;
/** The same breakpoint as in the style sheet. */
const AT_EDGE = '(max-width: 36rem)';

/**
 * Places the box below or above the element, whichever is closer to the middle of the window. The
 * box always stays inside the window.
 */
function place(box: HTMLElement, at: HTMLElement): void {
  box.style.top = '';
  box.style.left = '';
  if (matchMedia(AT_EDGE).matches) return;
  const from = at.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = from.bottom + GAP_PX;
  const top = below + height <= innerHeight ? below : from.top - GAP_PX - height;
  const left = from.left + from.right < innerWidth ? from.left : from.right - width;
  const inside = (value: number, size: number, max: number) => Math.max(GAP_PX, Math.min(value, max - size - GAP_PX));
  box.style.top = `${inside(top, height, innerHeight)}px`;
  box.style.left = `${inside(left, width, innerWidth)}px`;
}

/**
 * A modal dialog, because only a modal dialog can appear above a drawer, which is one too. It
 * closes on Escape or on a press outside.
 */
export function Anchored({ at, label, testId, onClose, children }: AnchoredProps) {
  const ref = useRef<HTMLDialogElement>(null);
  /** The `close` event is asynchronous. Another popup may be open by then. */
  const isOpen = useRef(true);
  useLayoutEffect(() => {
    const box = ref.current;
    if (box === null) return;
    const giveBack = keepFocus();
    at.setAttribute('aria-expanded', 'true');
    box.showModal();
    place(box, at);
    // The keyboard of a phone resizes the window, too.
    const onResize = () => (at.checkVisibility() ? place(box, at) : onClose());
    addEventListener('resize', onResize);
    return () => {
      removeEventListener('resize', onResize);
      at.removeAttribute('aria-expanded');
      isOpen.current = false;
      box.close();
      giveBack();
    };
  }, [at]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a press outside closes it; keyboard users have Escape
    <dialog
      ref={ref}
      class="popup"
      data-testid={testId}
      aria-label={label}
      onClose={() => isOpen.current && onClose()}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      {children}
    </dialog>
  );
}

/**
 * Keeps the focus from falling to the body. A part that closes returns the focus itself. This guard
 * handles elements that disappear, such as a button of a message that another user deletes.
 */
import { focusMain, focusRegion, nameOfRegion, type Region } from './regions.ts';

/** A closing part returns the focus after the next frame. Wait longer than that. */
const GRACE_MS = 150;

const canHaveFocus = (element: Element): boolean =>
  element.isConnected && !element.matches(':disabled') && element.checkVisibility();

/** Returns a function that stops the guard. */
export function guardFocus(): () => void {
  let last: { element: Element; region: Region | null } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const onFocus = ({ target }: FocusEvent) => {
    if (target instanceof Element) last = { element: target, region: nameOfRegion(target) };
  };
  // Here the user clicked on an empty area or left the window.
  const onBlur = ({ relatedTarget }: FocusEvent) => {
    if (relatedTarget === null)
      queueMicrotask(() => {
        if (last !== null && canHaveFocus(last.element)) last = null;
      });
  };
  const rescue = () => {
    if (last === null || canHaveFocus(last.element) || !isLost()) return;
    const { region } = last;
    last = null;
    const dialog = [...document.querySelectorAll<HTMLElement>('dialog:modal')].at(-1);
    if (dialog !== undefined) dialog.querySelector<HTMLElement>('h2[tabindex], button:not(:disabled)')?.focus();
    else if (region === null || !focusRegion(region)) {
      if (!focusRegion('composer') && !focusRegion('messages')) focusMain();
    }
  };
  const observer = new MutationObserver(() => {
    if (last === null || canHaveFocus(last.element)) return;
    clearTimeout(timer);
    timer = setTimeout(rescue, GRACE_MS);
  });
  document.addEventListener('focusin', onFocus);
  document.addEventListener('focusout', onBlur);
  observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ['disabled', 'hidden'] });
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener('focusin', onFocus);
    document.removeEventListener('focusout', onBlur);
  };
}

const isLost = (): boolean => document.activeElement === null || document.activeElement === document.body;

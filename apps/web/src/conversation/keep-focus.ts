/** Where the focus goes if the element that had it before is gone. */
const FALLBACKS = '#message-input:not(:disabled), .log';

/**
 * Call it before the focus moves. Call the result to return the focus. The focus never ends on the
 * body.
 */
export function keepFocus(): () => void {
  const from = document.activeElement;
  return () => {
    const isThere = from instanceof HTMLElement && from.isConnected && from !== document.body;
    (isThere ? from : document.querySelector<HTMLElement>(FALLBACKS))?.focus();
  };
}

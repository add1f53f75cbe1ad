/** Where the focus goes when something that took it closes. */
const FALLBACKS = '#message-input:not(:disabled), .log';

/** Call it before the focus moves, and the result when it may return. It never ends on the body. */
export function keepFocus(): () => void {
  const from = document.activeElement;
  return () => {
    const isThere = from instanceof HTMLElement && from.isConnected && from !== document.body;
    (isThere ? from : document.querySelector<HTMLElement>(FALLBACKS))?.focus();
  };
}

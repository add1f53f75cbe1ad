/** The last moments in which a page certainly runs: it is hidden, closed or reloaded. */
type Listening = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

interface Page {
  document?: Listening & { visibilityState: string };
}

/** Outside browsers, `task` never runs. Returns a function that stops watching. */
export function onPageHide(task: () => void): () => void {
  const { document: page, addEventListener } = globalThis as Partial<Listening> & Page;
  if (page === undefined || addEventListener === undefined) return () => {};
  const onChange = () => {
    if (page.visibilityState === 'hidden') task();
  };
  addEventListener('pagehide', task);
  page.addEventListener('visibilitychange', onChange);
  return () => {
    (globalThis as unknown as Listening).removeEventListener('pagehide', task);
    page.removeEventListener('visibilitychange', onChange);
  };
}

/** Only when the page is closed or reloaded, not while another tab is shown. */
export function onPageEnd(task: () => void): () => void {
  const { document: page, addEventListener, removeEventListener } = globalThis as Partial<Listening> & Page;
  if (page === undefined || addEventListener === undefined) return () => {};
  addEventListener('pagehide', task);
  return () => removeEventListener?.('pagehide', task);
}

/**
 * The rows of a list share one Tab stop: the menu of one row. Up and Down move between the menus of
 * rows. Left and Right move to the other controls of the same row.
 */
export function onRowKey(event: KeyboardEvent): void {
  const from = event.target;
  if (!(from instanceof HTMLElement) || !from.matches('button, a') || event.ctrlKey || event.metaKey || event.altKey)
    return;
  const to = target(from, event.key);
  if (to === undefined) return;
  event.preventDefault();
  to.focus();
}

function target(from: HTMLElement, key: string): HTMLElement | undefined {
  const row = from.closest('.message');
  const among = (all: Iterable<HTMLElement> | undefined, now: HTMLElement | null | undefined, step: number) => {
    const list = [...(all ?? [])];
    return now ? list[list.indexOf(now) + step] : undefined;
  };
  const menus = () => row?.closest('.messages')?.querySelectorAll<HTMLElement>('.row-menu');
  const menu = row?.querySelector<HTMLElement>('.row-menu');
  switch (key) {
    case 'ArrowUp':
      return among(menus(), menu, -1);
    case 'ArrowDown':
      return among(menus(), menu, 1);
    case 'ArrowLeft':
      return among(row?.querySelectorAll<HTMLElement>('button, a'), from, -1);
    case 'ArrowRight':
      return among(row?.querySelectorAll<HTMLElement>('button, a'), from, 1);
    default:
      return undefined;
  }
}

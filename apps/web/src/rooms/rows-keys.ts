/**
 * The keys of the room list: arrows, Home and End move between rows. The right arrow opens the menu
 * of a row.
 */

const ROW = '.room-link';

export function onRowsKey(event: KeyboardEvent): void {
  const from = event.target;
  if (!(from instanceof HTMLElement) || !from.matches(ROW)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.key === 'ArrowRight') {
    const menu = from.parentElement?.querySelector<HTMLElement>('.room-menu');
    if (menu === null || menu === undefined) return;
    event.preventDefault();
    menu.click();
    return;
  }
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(ROW)];
  const at = rows.indexOf(from);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  rows[to]?.focus();
}

/** The keys of a menu: arrows, Home and End, and the first letter of an item. */

/** The items in the same row. Up and Down leave the row. */
function lineOf(item: HTMLElement): HTMLElement[] {
  const group = item.closest('[role="group"]');
  return group === null ? [item] : [...group.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
}

/** The item that the key moves to. Undefined if the key does not move. */
function target(items: HTMLElement[], from: HTMLElement, key: string): HTMLElement | undefined {
  const line = lineOf(from);
  const [at, inLine] = [items.indexOf(from), line.indexOf(from)];
  switch (key) {
    case 'ArrowDown':
      return items[at - inLine + line.length] ?? items[0];
    case 'ArrowUp':
      return items[at - inLine - 1] ?? items.at(-1);
    case 'ArrowRight':
      return line.length > 1 ? (line[inLine + 1] ?? line[0]) : undefined;
    case 'ArrowLeft':
      return line.length > 1 ? line.at(inLine - 1) : undefined;
    case 'Home':
      return items[0];
    case 'End':
      return items.at(-1);
    default:
      return key.length === 1 ? beginningWith(items, at, key) : undefined;
  }
}

/** The next item that begins with the letter. */
function beginningWith(items: HTMLElement[], at: number, letter: string): HTMLElement | undefined {
  const wanted = letter.toLocaleLowerCase();
  return [...items.slice(at + 1), ...items.slice(0, at + 1)].find((item) =>
    (item.textContent ?? '').trim().toLocaleLowerCase().startsWith(wanted),
  );
}

/** Tab closes a menu, as is usual. Escape closes its dialog. */
export function onMenuKey(event: KeyboardEvent, close: () => void): void {
  const menu = event.currentTarget as HTMLElement;
  const from = document.activeElement;
  if (event.key === 'Tab') {
    event.preventDefault();
    close();
    return;
  }
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !(from instanceof HTMLElement)) return;
  const to = target([...menu.querySelectorAll<HTMLElement>('[role^="menuitem"]')], from, event.key);
  if (to === undefined) return;
  event.preventDefault();
  to.focus();
}

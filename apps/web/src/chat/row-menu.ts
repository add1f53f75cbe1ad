/** The menus of messages share one stop of the Tab key. The arrow keys move between them. */
export function onMenuKey(event: KeyboardEvent): void {
  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
  const from = event.target;
  if (step === 0 || !(from instanceof HTMLElement) || !from.classList.contains('row-menu')) return;
  const menus = [...(from.closest('ol')?.querySelectorAll<HTMLElement>('.row-menu') ?? [])];
  const to = menus[menus.indexOf(from) + step];
  if (to === undefined) return;
  event.preventDefault();
  to.focus();
}

/**
 * F6 moves between regions: elements with `data-region`, in document order. This module also
 * decides which element of a region takes the focus.
 */

/**
 * Selectors of the element that takes the focus in a region. Without a match, the region itself
 * takes it.
 */
const STARTS = {
  rooms: '[aria-current="page"], a, button',
  messages: null,
  composer: 'textarea:not(:disabled)',
  pane: 'input:not(:disabled), textarea:not(:disabled), button:not(:disabled)',
  people: 'button:not(:disabled)',
} as const;

export type Region = keyof typeof STARTS;

const isRegion = (name: string | undefined): name is Region => name !== undefined && Object.hasOwn(STARTS, name);

const regionOf = (element: Element | null): HTMLElement | null =>
  element?.closest<HTMLElement>('[data-region]') ?? null;

const shownRegions = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>('[data-region]')].filter((region) => region.checkVisibility());

function enter(region: HTMLElement): void {
  const { region: name } = region.dataset;
  const start = isRegion(name) ? STARTS[name] : null;
  const inside = start === null ? null : firstVisible(region, start);
  (inside ?? region).focus();
}

const firstVisible = (region: HTMLElement, selectors: string): HTMLElement | null => {
  for (const selector of selectors.split(', ')) {
    const found = [...region.querySelectorAll<HTMLElement>(selector)].find((element) => element.checkVisibility());
    if (found !== undefined) return found;
  }
  return null;
};

/** Moves the focus. `step`: 1 for the next region, -1 for the previous one. */
export function moveRegion(step: 1 | -1): void {
  const regions = shownRegions();
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const from = at === -1 && step === -1 ? 0 : at;
  for (let i = 1; i < regions.length; i++) {
    const to = regions[(from + i * step + regions.length * 2) % regions.length];
    if (to === undefined) return;
    enter(to);
    // Skip a region in which nothing can take the focus.
    if (to.contains(document.activeElement)) return;
  }
}

/** Returns false if nothing in the region can take the focus. */
export function focusRegion(name: Region): boolean {
  const region = shownRegions().find((one) => one.dataset.region === name);
  if (region === undefined) return false;
  enter(region);
  return region.contains(document.activeElement);
}

/** Where no region is left: the view itself, while it has the focus. */
export function focusMain(): void {
  const main = document.querySelector('main');
  if (main === null) return;
  main.tabIndex = -1;
  main.addEventListener('blur', () => main.removeAttribute('tabindex'), { once: true });
  main.focus({ preventScroll: true });
}

export const nameOfRegion = (element: Element | null): Region | null => {
  const name = regionOf(element)?.dataset.region;
  return isRegion(name) ? name : null;
};

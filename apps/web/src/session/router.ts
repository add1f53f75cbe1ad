/** Reads and changes the route in the address. */
import { pathOfRoom, pathOfRoute, type Route, routeOf } from '../model/route.ts';

export interface Router {
  get(): Route;
  subscribe(listener: () => void): () => void;
  /** Navigates. Each call creates a new route object, even for the current place. */
  go(route: Route): void;
  /** Like `go`, without a new history entry. */
  replace(route: Route): void;
  /** The reader has scrolled away from the message in the address. */
  leavePlace(room: string): void;
  close(): void;
}

/** The parts of a window that the router needs. */
export interface Page {
  readonly location: { readonly pathname: string; readonly hash: string };
  readonly history: {
    pushState(data: null, unused: '', url: string): void;
    replaceState(data: null, unused: '', url: string): void;
  };
  addEventListener(type: 'popstate' | 'hashchange', listener: () => void): void;
  removeEventListener(type: 'popstate' | 'hashchange', listener: () => void): void;
}

export function createRouter(page: Page): Router {
  const listeners = new Set<() => void>();
  let route = routeOf(page.location);
  /**
   * The path of the page. A fragment, for example of a link to a part of the page, is not a route.
   */
  let path = page.location.pathname;

  const set = (next: Route) => {
    route = next;
    for (const listener of [...listeners]) listener();
  };
  const write = (next: Route, isStep: boolean) => {
    path = pathOfRoute(next);
    const isHere = path === page.location.pathname && page.location.hash === '';
    if (isStep && !isHere) page.history.pushState(null, '', path);
    else if (!isHere) page.history.replaceState(null, '', path);
  };
  const read = () => {
    const next = routeOf(page.location);
    if (pathOfRoute(next) === path && !page.location.hash.startsWith('#/')) return;
    // Rewrite an address of an earlier version, or one with capital letters.
    if (next.view !== 'start') write(next, false);
    else path = page.location.pathname;
    set(next);
  };

  if (route.view !== 'start') write(route, false);
  page.addEventListener('popstate', read);
  page.addEventListener('hashchange', read);
  return {
    get: () => route,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    go(next) {
      write(next, true);
      set(next);
    },
    replace(next) {
      write(next, false);
      set(next);
    },
    leavePlace(room) {
      path = pathOfRoom(room);
      page.history.replaceState(null, '', path);
    },
    close() {
      page.removeEventListener('popstate', read);
      page.removeEventListener('hashchange', read);
      listeners.clear();
    },
  };
}

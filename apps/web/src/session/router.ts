/** The place in the address, and the ways to change it. */
import { pathOfRoom, pathOfRoute, type Route, routeOf } from '../model/route.ts';

export interface Router {
  get(): Route;
  subscribe(listener: () => void): () => void;
  /** Each way to a place, even to where one is already, makes a new object. */
  go(route: Route): void;
  /** As `go`, without a step to come back to. */
  replace(route: Route): void;
  /** The reader has left the message in the address. */
  leavePlace(room: string): void;
  close(): void;
}

/** What the router needs of a window. */
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
  /** Where the page is. A fragment, such as that of a link to a part of the page, is no place. */
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
    // An address of an earlier version, or one in capitals.
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

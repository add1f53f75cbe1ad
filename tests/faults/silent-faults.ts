/**
 * Connections to the store that forward nothing from now on and are never reset, while new
 * connections work. Each kind of connection in turn.
 */
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import type { ProxiedEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import type { StoreKind } from './options.ts';

/** Every request works again, and every member is complete. */
const AFTER_SILENCE_MS = 5_000;

/** The purposes of connections, by the kind that goes silent. */
const KINDS = {
  append: ['append'],
  read: ['read'],
  control: ['control'],
  subscriber: ['subscribe'],
  'ephemeral publisher': ['signals-pub'],
  'ephemeral subscriber': ['signals-sub'],
  presence: ['presence'],
  every: ['append', 'read', 'control', 'subscribe', 'signals-pub', 'signals-sub', 'presence'],
} as const;
const TOPOLOGY = { single: undefined, sentinel: 'sentinel', cluster: 'topology' } as const;
/** The topology of a Cluster asks the next node after any failure, over a new connection. */
const MAY_REOPEN = 'topology';

export function silentFaults(store: StoreKind): ReadonlyArray<Fault<ProxiedEnvironment>> {
  const topology = TOPOLOGY[store];
  const kinds: Array<[string, readonly string[]]> = Object.entries(KINDS);
  if (topology !== undefined) kinds.push(['topology', [topology]]);
  return kinds.map(([kind, purposes]) => ({
    name: `${kind} silent`,
    about: `connections of this kind go silent for ever (${purposes.join(', ')}); new ones work`,
    store: 'fine',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_SILENCE_MS,
    async inject({ environment, began, lifted, violation }) {
      const before = openedByName(environment);
      const silenced = environment.proxies.reduce((sum, proxy) => sum + proxy.silence(purposes), 0);
      began();
      // Only the connections are lost. From now on, everything may work.
      lifted();
      if (silenced === 0) violation('no connection of this kind was open');
      const isOfKind = (name: string) => purposes.includes(purposeOf(name));
      const countOf = (opened: ReadonlyMap<string, number>) =>
        [...opened].reduce((sum, [name, count]) => sum + (isOfKind(name) ? count : 0), 0);
      const isRepaired = async () =>
        countOf(openedByName(environment)) >= countOf(before) + silenced && (await requestsWork(environment));
      // The time counts until members are complete, which happens later.
      await poll('every request to work', isRepaired, { timeoutMs: 2 * AFTER_SILENCE_MS }).catch((error: unknown) =>
        violation(String(error)),
      );
      for (const [name, count] of openedByName(environment))
        if (!isOfKind(name) && purposeOf(name) !== MAY_REOPEN && count !== before.get(name))
          violation(`the healthy connection ${name} was closed`);
    },
  }));
}

const purposeOf = (name: string) => name.split(':').at(-1) ?? '';

function openedByName({ proxies }: ProxiedEnvironment): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of proxies.flatMap((proxy) => [...proxy.opened()]))
    sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

/** Requests that read, on every gateway. The crowd sends messages. */
async function requestsWork({ endpoints, token }: ProxiedEnvironment): Promise<boolean> {
  const get = (endpoint: string, path: string) => call(endpoint, path, { token: token('observer') });
  const works = async (endpoint: string) => {
    const listed = await get(endpoint, '/rooms');
    if (listed.status !== 200) return false;
    const [first] = listed.body.rooms as Array<{ room: string }>;
    const paths = ['messages', 'presence'].map((of) => `/rooms/${first?.room}/${of}`);
    return (await Promise.all(paths.map((path) => get(endpoint, path)))).every(({ status }) => status === 200);
  };
  return (await Promise.all(endpoints.map(works))).every(Boolean);
}

/**
 * Stores what the user of a page has not sent yet: the outbox and drafts. Each tab has its own slot
 * in the storage of the tab or of the device, so tabs do not overwrite each other. A lock shows
 * that the tab is alive. Texts of ended tabs are taken over.
 */
import type { KeptText } from '../kept.ts';
import { type ClientLogger, silentLogger } from '../logger.ts';
import { newClientMsgId } from '../text.ts';
import { type BrowserParts, browserParts, pageArea, type TextArea } from './browser-parts.ts';
import { holdLock, waitForLock } from './hold-lock.ts';
import { countItems, isCurrent, isOtherGuest, KINDS, type Kind, keyOf, slotsIn } from './slots.ts';

export interface TabStorageOptions {
  user: string;
  /** Where to store: until the tab is closed, or on the device until it is sent. */
  keep: Exclude<KeptIn, 'page'>;
  logger?: ClientLogger;
  parts?: BrowserParts;
}

/** `page`: the browser allows no storage, so a reload loses the texts. */
export type KeptIn = 'device' | 'tab' | 'page';

export interface TabStorage {
  /** Where texts are actually stored. On the device only if the browser has Web Locks. */
  readonly keptIn: KeptIn;
  /** Options of `createChatClient` and `createConversations`. */
  readonly outbox: KeptText;
  readonly drafts: KeptText;
  /** Releases the slot. Close client and conversations first. */
  close(): void;
}

const TAB_KEY = 'maru.tab';
const lockOf = (tab: string): string => `maru.tab.${tab}`;
/** When a page is reloaded, the lock of the old page may be released a moment later. */
const OWN_LOCK_WAIT_MS = 1_500;
/** Wait, so that tabs opened together can take their own slots first. */
const LOOK_AFTER_MS = 5_000;
/** If the lock is still held after this time, another tab owns it, and this tab is a duplicate. */
const DUPLICATE_AFTER_MS = 15_000;

/** For pages without storage. */
const thisPage = pageArea();
const open = new Set<Slots>();

export async function openTabStorage({ parts = browserParts(), ...options }: TabStorageOptions): Promise<TabStorage> {
  const { user, logger = silentLogger } = options;
  const claimed = await claimTab(parts, user);
  const keptIn = keptInOf(parts, options.keep);
  const areas = areasOf(parts);
  await forgetGoneGuests({
    ...{ user, parts, tab: claimed.tab },
    areas: areas.filter((area) => options.keep === 'device' || area !== parts.local),
  });
  for (const slot of areas.flatMap((area) => slotsIn(area, user))) {
    if (!isCurrent(slot)) logger.warn('texts of another version are left unchanged', { version: slot.version });
  }
  return new Slots({ user, parts, keptIn, areas, ...claimed });
}

/** Removes all stored texts of the user, on this device and in this tab. */
export function forgetKept(user: string, parts = browserParts()): void {
  // Clients of the user that still run store nothing more.
  for (const slots of open) slots.forget(user);
  for (const area of areasOf(parts)) for (const { key } of slotsIn(area, user)) area.removeItem(key);
}

/**
 * Number of drafts, messages and acts of the user that wait on this device and in this tab,
 * including failed ones.
 */
export const countKept = (user: string, parts = browserParts()): number => countIn(areasOf(parts), KINDS, user);

/** Number of messages and acts that would be lost with this tab. */
export const countEndingWithTab = (parts = browserParts()): number =>
  countIn(
    areasOf(parts).filter((area) => area !== parts.local),
    ['outbox'],
  );

const countIn = (areas: readonly TextArea[], kinds: readonly string[], user?: string): number =>
  areas
    .flatMap((area) => slotsIn(area, user).map(({ kind, key }) => (kinds.includes(kind) ? area.getItem(key) : null)))
    .reduce((sum, value) => sum + countItems(value), 0);

const areasOf = ({ local, session }: BrowserParts): TextArea[] =>
  [local, session, thisPage].filter((area) => area !== null);

function keptInOf({ local, session, locks }: BrowserParts, keep: 'device' | 'tab'): KeptIn {
  if (keep === 'device' && local !== null && locks !== null) return 'device';
  return session === null ? 'page' : 'tab';
}

/**
 * A guest whose session ended cannot sign in again, so these texts can be neither sent nor seen. On
 * the device, they may be of another tab in which the guest still chats: then its lock is taken.
 */
async function forgetGoneGuests(options: Pick<SlotsOptions, 'user' | 'tab' | 'parts' | 'areas'>): Promise<void> {
  const { user, tab, areas } = options;
  const { local, locks } = options.parts;
  for (const area of areas) {
    for (const slot of slotsIn(area).filter((one) => isOtherGuest(one, user))) {
      const mayLive = area === local && slot.tab !== tab;
      const release = mayLive && locks !== null ? await holdLock(locks, lockOf(slot.tab)) : () => {};
      if (release !== null) area.removeItem(slot.key);
      release?.();
    }
  }
}

interface Claimed {
  tab: string;
  /** The tab did not exist before, so it needs texts of ended tabs immediately. */
  isNew: boolean;
  /** The tab that this one seems to duplicate, including its texts. */
  original: string | null;
  release: () => void;
}

/** The id of this tab, and its lock, which no other tab can have. */
async function claimTab({ session, local, locks, after }: BrowserParts, user: string): Promise<Claimed> {
  const memory = session ?? thisPage;
  const remembered = memory.getItem(TAB_KEY);
  const claim = (tab: string, isNew: boolean, release: () => void): Claimed => {
    memory.setItem(TAB_KEY, tab);
    return { tab, isNew, original: tab === remembered ? null : remembered, release };
  };
  if (locks === null) return claim(remembered ?? newClientMsgId(), false, () => {});
  if (remembered !== null) {
    const release = await waitForLock(locks, lockOf(remembered), { after, waitMs: OWN_LOCK_WAIT_MS });
    if (release !== null) return claim(remembered, false, release);
  }
  // A new tab takes over the slot of an ended one, so its texts are available immediately.
  const left = local === null ? [] : slotsIn(local, user).filter(isCurrent);
  for (const tab of new Set(left.map((slot) => slot.tab))) {
    const release = await holdLock(locks, lockOf(tab));
    if (release !== null) return claim(tab, true, release);
  }
  const tab = newClientMsgId();
  return claim(tab, true, (await holdLock(locks, lockOf(tab))) ?? (() => {}));
}

interface SlotsOptions extends Claimed {
  user: string;
  parts: BrowserParts;
  keptIn: KeptIn;
  areas: readonly TextArea[];
}

type Take = (value: string) => boolean;

class Slots implements TabStorage {
  readonly keptIn: KeptIn;
  readonly outbox = this.#placeOf('outbox');
  readonly drafts = this.#placeOf('drafts');
  readonly #options: SlotsOptions;
  readonly #takers = new Map<Kind, Take>();
  readonly #stopWatching: () => void;
  #cancelLook = () => {};
  #cancelDrop = () => {};
  #isClosed = false;
  #isForgotten = false;

  constructor(options: SlotsOptions) {
    this.#options = options;
    open.add(this);
    this.keptIn = options.keptIn;
    this.#stopWatching = options.parts.onShow(() => this.#lookIn(LOOK_AFTER_MS));
    this.#lookIn(options.isNew ? 0 : LOOK_AFTER_MS);
    if (options.original !== null) {
      this.#cancelDrop = options.parts.after(DUPLICATE_AFTER_MS, () => void this.#dropCopies());
    }
  }

  forget(user: string): void {
    if (user === this.#options.user) this.#isForgotten = true;
  }

  close(): void {
    this.#isClosed = true;
    open.delete(this);
    this.#stopWatching();
    this.#cancelLook();
    this.#cancelDrop();
    this.#options.release();
  }

  #placeOf(kind: Kind): KeptText {
    const key = () => keyOf(kind, this.#options.user, this.#options.tab);
    return {
      load: () => this.#area.getItem(key()),
      save: (value) => {
        if (!this.#isForgotten) this.#area.setItem(key(), value);
      },
      watchLeft: (take) => {
        this.#takers.set(kind, take);
        // The user may have chosen another place since this tab started.
        for (const area of this.#otherAreas) takeFrom(area, key(), take);
        return () => void this.#takers.delete(kind);
      },
    };
  }

  get #area(): TextArea {
    const { keptIn, parts } = this.#options;
    return (keptIn === 'device' ? parts.local : keptIn === 'tab' ? parts.session : null) ?? thisPage;
  }

  get #otherAreas(): readonly TextArea[] {
    return this.#options.areas.filter((area) => area !== this.#area);
  }

  #lookIn(delayMs: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#options.parts.after(delayMs, () => void this.#takeLeft());
  }

  /** Takes over texts of ended tabs, whose locks are free. */
  async #takeLeft(): Promise<void> {
    const { areas, user, tab: own, parts } = this.#options;
    const { locks } = parts;
    if (locks === null) return;
    const left = areas.flatMap((area) => slotsIn(area, user)).filter((slot) => isCurrent(slot) && slot.tab !== own);
    for (const tab of new Set(left.map((slot) => slot.tab))) {
      const release = await holdLock(locks, lockOf(tab));
      if (release === null) continue;
      if (!this.#isClosed) for (const kind of KINDS) this.#takeKind(kind, tab);
      release();
    }
  }

  /** The original tab is alive and has its texts. These copies would become outdated. */
  async #dropCopies(): Promise<void> {
    await this.#takeLeft();
    const { parts, original } = this.#options;
    for (const { key, tab } of slotsIn(parts.session ?? thisPage)) if (tab === original) parts.session?.removeItem(key);
  }

  #takeKind(kind: Kind, tab: string): void {
    const take = this.#takers.get(kind);
    if (take === undefined) return;
    for (const area of this.#options.areas) takeFrom(area, keyOf(kind, this.#options.user, tab), take);
  }
}

function takeFrom(area: TextArea, key: string, take: Take): void {
  const value = area.getItem(key);
  if (value !== null && take(value)) area.removeItem(key);
}

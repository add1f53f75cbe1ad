/**
 * The preferences of a user on this device. All tabs of the browser share one store: a change in
 * one tab appears in the others. Only chosen values are stored, so a default may change later.
 */
import type { Status } from '@maru/protocol/events';
import type { Language } from '../i18n/languages.ts';

const KEY = 'maru.preferences';
const VERSION = 1;

/** The allowed values. The first one is the default. */
const CHOICES = {
  theme: ['system', 'light', 'dark'],
  density: ['comfortable', 'compact'],
  timeFormat: ['system', '12', '24'],
  enterSends: [true, false],
  desktopNotices: [false, true],
  sound: [false, true],
  /** `direct`: direct messages and mentions. The rule of a room takes precedence. */
  notifyAbout: ['direct', 'all'],
  noticesShowText: [true, false],
  /** 0 means never. */
  awayAfterMin: [10, 0, 5, 30],
} as const;

type Choices = { readonly [K in keyof typeof CHOICES]: (typeof CHOICES)[K][number] };

/** Belongs to one user. Another user on this device starts as `online`. */
export interface ChosenStatus {
  readonly user: string;
  readonly status: Status;
  readonly text: string;
}

export interface Preferences extends Choices {
  readonly language: 'system' | Language;
  readonly status: ChosenStatus | null;
  /** Newest first. */
  readonly recentEmoji: readonly string[];
}

/** The allowed values of a preference, the default first. */
export const choicesOf = <K extends keyof Choices>(name: K): (typeof CHOICES)[K] => CHOICES[name];

const DEFAULTS = {
  language: 'system',
  status: null,
  recentEmoji: [],
  ...Object.fromEntries(Object.entries(CHOICES).map(([name, [first]]) => [name, first])),
} as unknown as Preferences;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const STATUSES: readonly unknown[] = ['online', 'away', 'dnd', 'invisible'] satisfies Status[];

const isChosenStatus = (value: unknown): value is ChosenStatus =>
  isObject(value) &&
  STATUSES.includes(value.status) &&
  typeof value.user === 'string' &&
  typeof value.text === 'string';

const RECENT_EMOJI_MAX = 16;

const areEmoji = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= RECENT_EMOJI_MAX && value.every((one) => typeof one === 'string');

/** The list after an emoji was used. */
export const withRecentEmoji = (recent: readonly string[], used: string): string[] =>
  [used, ...recent.filter((emoji) => emoji !== used)].slice(0, RECENT_EMOJI_MAX);

/** Values that this version does not know are ignored. */
function knownOf(stored: Record<string, unknown>, languages: readonly string[]): Partial<Preferences> {
  const known = Object.entries(stored).filter(([name, value]) => {
    if (name === 'language') return languages.includes(String(value));
    if (name === 'status') return isChosenStatus(value);
    if (name === 'recentEmoji') return areEmoji(value);
    return Object.hasOwn(CHOICES, name) && (CHOICES[name as keyof Choices] as readonly unknown[]).includes(value);
  });
  return Object.fromEntries(known) as Partial<Preferences>;
}

export interface PreferenceStore {
  /** Returns the same object until something changes. */
  get(): Preferences;
  subscribe(listener: () => void): () => void;
  set(changes: Partial<Preferences>): void;
  close(): void;
}

export interface PreferencesOptions {
  languages: readonly string[];
  /** Null if the browser forbids storage. Then choices last as long as the page. */
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;
  /** Sends events about changes in other tabs. */
  target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
}

export function createPreferences({ languages, storage, target }: PreferencesOptions): PreferenceStore {
  const listeners = new Set<() => void>();
  /** The stored text, as far as this tab knows. */
  let text = '';
  let raw: Record<string, unknown> = {};
  let value = DEFAULTS;

  const take = (next: Record<string, unknown>) => {
    raw = next;
    value = { ...DEFAULTS, ...knownOf(raw, languages) };
    for (const listener of [...listeners]) listener();
  };
  /** Keeps choices of other tabs and fields of a newer version. */
  const load = () => {
    const now = quietly(() => storage?.getItem(KEY) ?? '');
    if (storage === null || now === null || now === text) return;
    text = now;
    const parsed: unknown = quietly(() => JSON.parse(now));
    take(isObject(parsed) ? parsed : {});
  };
  const save = (changes: Partial<Preferences>) => {
    load();
    const next = { version: VERSION, ...raw, ...changes };
    const written = JSON.stringify(next);
    quietly(() => {
      storage?.setItem(KEY, written);
      text = written;
    });
    take(next);
  };
  const onStorage = (event: Event) => {
    const { key } = event as StorageEvent;
    // Null means that the storage was cleared.
    if (key === KEY || key === null) load();
  };

  load();
  const old = storage === null ? {} : takeOld(storage);
  if (text === '' && Object.keys(old).length > 0) save(knownOf(old, languages));
  target.addEventListener('storage', onStorage);
  return {
    get: () => value,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set: save,
    close: () => target.removeEventListener('storage', onStorage),
  };
}

/** Migrates the two keys of earlier versions. */
function takeOld(storage: NonNullable<PreferencesOptions['storage']>): Record<string, string> {
  const old: Record<string, string> = {};
  for (const name of ['language', 'theme']) {
    const value = quietly(() => storage.getItem(`maru.${name}`));
    if (value === null) continue;
    quietly(() => storage.removeItem(`maru.${name}`));
    old[name] = value;
  }
  return old;
}

function quietly<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

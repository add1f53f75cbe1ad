import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPreferences, type PreferenceStore, withRecentEmoji } from './preferences.ts';

const KEY = 'maru.preferences';

/** A fake browser: tabs share the storage and get events about each other's changes. */
function createBrowser(stored: Record<string, string> = {}) {
  const items = new Map(Object.entries(stored));
  const tabs: EventTarget[] = [];
  const openTab = (): PreferenceStore => {
    const target = new EventTarget();
    tabs.push(target);
    const tell = (key: string) => {
      for (const tab of tabs) if (tab !== target) tab.dispatchEvent(Object.assign(new Event('storage'), { key }));
    };
    const storage = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem(key: string, value: string) {
        items.set(key, value);
        tell(key);
      },
      removeItem: (key: string) => void items.delete(key),
    };
    return createPreferences({ languages: ['en', 'ko'], storage, target });
  };
  return { items, openTab, stored: () => JSON.parse(items.get(KEY) ?? 'null') };
}

describe('preferences', () => {
  it('follow the system, with notifications off, until the user chooses', () => {
    const browser = createBrowser();
    const preferences = browser.openTab().get();
    assert.deepEqual(preferences, {
      ...{ language: 'system', theme: 'system', density: 'comfortable', timeFormat: 'system', enterSends: true },
      ...{ desktopNotices: false, sound: false, notifyAbout: 'direct', noticesShowText: true, awayAfterMin: 10 },
      ...{ status: null, recentEmoji: [] },
    });
    assert.equal(browser.items.size, 0);
  });

  it('store only chosen values, with a version', () => {
    const browser = createBrowser();
    const tab = browser.openTab();
    tab.set({ theme: 'dark' });
    tab.set({ awayAfterMin: 0 });
    assert.deepEqual(browser.stored(), { version: 1, theme: 'dark', awayAfterMin: 0 });
    assert.equal(browser.openTab().get().theme, 'dark');
  });

  it('change in all tabs, and no tab overwrites the choice of another', () => {
    const browser = createBrowser();
    const [one, other] = [browser.openTab(), browser.openTab()];
    let heard = 0;
    other.subscribe(() => heard++);
    one.set({ density: 'compact' });
    assert.equal(other.get().density, 'compact');
    assert.equal(heard, 1);
    // The event of this change has not arrived yet.
    browser.items.set(KEY, JSON.stringify({ version: 1, density: 'compact', sound: true }));
    other.set({ theme: 'light' });
    assert.deepEqual(browser.stored(), { version: 1, density: 'compact', sound: true, theme: 'light' });
    assert.equal(other.get().sound, true);
    other.close();
    heard = 0;
    one.set({ density: 'comfortable' });
    assert.equal(heard, 0);
  });

  it('migrate the two keys of earlier versions', () => {
    const browser = createBrowser({ 'maru.language': 'ko', 'maru.theme': 'dark', 'maru.session': 'x' });
    const { language, theme } = browser.openTab().get();
    assert.deepEqual([language, theme], ['ko', 'dark']);
    assert.deepEqual([...browser.items.keys()].sort(), [KEY, 'maru.session']);
    assert.deepEqual(browser.stored(), { version: 1, language: 'ko', theme: 'dark' });
  });

  for (const [what, text] of [
    ['no JSON', '{'],
    ['no object', '3'],
    [
      'unknown values',
      '{"theme":"pink","language":"xx","awayAfterMin":7,"sound":"yes","status":{"user":1},"recentEmoji":[1]}',
    ],
    ['names of every object', '{"constructor":1,"toString":"x"}'],
  ] as const)
    it(`are the defaults if the storage holds ${what}`, () => {
      const preferences = createBrowser({ [KEY]: text })
        .openTab()
        .get();
      assert.deepEqual(preferences, createBrowser().openTab().get());
    });

  it('keep fields that a newer version has stored', () => {
    const browser = createBrowser({ [KEY]: '{"version":2,"theme":"dark","shape":"round"}' });
    browser.openTab().set({ sound: true });
    assert.deepEqual(browser.stored(), { version: 2, theme: 'dark', shape: 'round', sound: true });
  });

  it('last as long as the page if storage is forbidden', () => {
    const refuse = () => {
      throw new Error('forbidden');
    };
    for (const storage of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
      const preferences = createPreferences({ languages: ['en'], storage, target: new EventTarget() });
      preferences.set({ theme: 'dark' });
      preferences.set({ sound: true });
      assert.deepEqual([preferences.get().theme, preferences.get().sound], ['dark', true]);
    }
  });
});

it('keep the last used emoji, each once', () => {
  assert.deepEqual(withRecentEmoji(['🎉', '👍'], '👍'), ['👍', '🎉']);
  const many = Array.from({ length: 40 }, (_, index) => String(index)).reduce(withRecentEmoji, [] as string[]);
  assert.deepEqual([many.length, many[0]], [16, '39']);
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type FakeTab, fakeDevice } from '../testing/fake-tabs.ts';
import { slotsIn } from './slots.ts';
import { countEndingWithTab, countKept, forgetKept, openTabStorage, type TabStorageOptions } from './tab-storage.ts';

const items = (...texts: string[]) => JSON.stringify({ v: 1, items: texts });
/** Lets promises of locks settle. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A page of the tab. Its takers record the texts that were left. */
async function load(parts: FakeTab, options: Partial<TabStorageOptions> = {}) {
  const storage = await openTabStorage({ user: 'mina', keep: 'tab', parts, ...options });
  const taken: string[] = [];
  const take = (value: string) => {
    taken.push(value);
    return true;
  };
  const own = storage.outbox.load();
  storage.outbox.watchLeft?.(take);
  storage.drafts.watchLeft?.(take);
  return { storage, taken, own };
}

for (const keep of ['tab', 'device'] as const) {
  it(`keeps outbox and drafts in the ${keep} over a reload`, async () => {
    const tab = fakeDevice().openTab();
    const { storage } = await load(tab, { keep });
    assert.equal(storage.keptIn, keep);
    storage.outbox.save(items('waits'));
    storage.drafts.save(items('draft'));
    storage.close();
    const again = await load(tab, { keep });
    assert.equal(again.own, items('waits'));
    assert.equal(again.storage.drafts.load(), items('draft'));
    assert.equal(tab.local.length, keep === 'tab' ? 0 : 2);
  });
}

it('gives two tabs of a device separate slots, also after a reload of one', async () => {
  const device = fakeDevice();
  const [one, two] = [device.openTab(), device.openTab()];
  const first = await load(one, { keep: 'device' });
  first.storage.outbox.save(items('of one'));
  const second = await load(two, { keep: 'device' });
  second.storage.outbox.save(items('of two'));
  await settle();
  assert.deepEqual([...first.taken, ...second.taken, second.own], [null]);
  first.storage.close();
  assert.equal((await load(one, { keep: 'device' })).own, items('of one'));
  assert.equal(second.storage.outbox.load(), items('of two'));
});

it('lets a new tab continue the texts of ended tabs', async () => {
  const device = fakeDevice();
  const ended = await Promise.all([1, 2].map(() => load(device.openTab(), { keep: 'device' })));
  ended[0]?.storage.outbox.save(items('one'));
  ended[1]?.storage.outbox.save(items('two'));
  for (const { storage } of ended) storage.close();
  await settle();
  const tab = device.openTab();
  const { own, taken, storage } = await load(tab, { keep: 'device' });
  tab.clock.pass(0);
  await settle();
  assert.deepEqual([own, ...taken].sort(), [items('one'), items('two')]);
  assert.equal(slotsIn(tab.local).length, 1);
  assert.equal(storage.outbox.load(), own);
});

it('lets a live tab take the texts of an ended one when it is shown', async () => {
  const device = fakeDevice();
  const [one, two] = [device.openTab(), device.openTab()];
  const first = await load(one, { keep: 'device' });
  const second = await load(two, { keep: 'device' });
  second.storage.outbox.save(items('left'));
  two.clock.pass(5_000);
  one.clock.pass(5_000);
  await settle();
  assert.deepEqual(first.taken, []);
  second.storage.close();
  await settle();
  one.show();
  one.clock.pass(5_000);
  await settle();
  assert.deepEqual(first.taken, [items('left')]);
  assert.equal(device.local.length, 0);
});

it('does not take over the texts of the original of a duplicated tab, and drops the copies', async () => {
  const device = fakeDevice();
  const original = device.openTab();
  const { storage } = await load(original);
  storage.outbox.save(items('waits'));
  const copy = device.duplicate(original);
  const loading = load(copy);
  copy.clock.pass(1_500);
  const { own, taken } = await loading;
  assert.equal(own, null);
  copy.clock.pass(15_000);
  await settle();
  assert.deepEqual(taken, []);
  assert.deepEqual(slotsIn(copy.session), []);
  assert.equal(storage.outbox.load(), items('waits'));
});

it("takes the texts of its own tab even if the previous page's lock is released late", async () => {
  const device = fakeDevice();
  const tab = device.openTab();
  const before = await load(tab);
  before.storage.outbox.save(items('waits'));
  const loading = load(tab);
  tab.clock.pass(1_500);
  const { own, taken } = await loading;
  assert.equal(own, null);
  before.storage.close();
  await settle();
  tab.clock.pass(15_000);
  await settle();
  assert.deepEqual(taken, [items('waits')]);
});

it('moves the stored texts to the place that the user chooses later', async () => {
  const tab = fakeDevice().openTab();
  const { storage } = await load(tab, { keep: 'device' });
  storage.outbox.save(items('waits'));
  storage.close();
  const { taken } = await load(tab, { keep: 'tab' });
  assert.deepEqual(taken, [items('waits')]);
  assert.equal(tab.local.length, 0);
});

it('stores nothing on the device without locks, and nothing after the page without storage', async () => {
  const bare = fakeDevice({ hasLocks: false }).openTab();
  const { storage } = await load(bare, { keep: 'device' });
  assert.equal(storage.keptIn, 'tab');
  storage.outbox.save(items('waits'));
  storage.close();
  assert.equal((await load(bare, { keep: 'device' })).own, items('waits'));
  const none = { ...fakeDevice().openTab(), local: null, session: null } as unknown as FakeTab;
  const page = await load(none);
  assert.equal(page.storage.keptIn, 'page');
  page.storage.outbox.save(items('waits'));
  page.storage.close();
  assert.equal((await load(none)).own, items('waits'));
  forgetKept('mina', none);
});

it('neither shows nor counts texts of another user', async () => {
  const tab = fakeDevice().openTab();
  const mina = await load(tab, { user: 'mina.lee' });
  mina.storage.outbox.save(items('a', 'b'));
  mina.storage.close();
  const jun = await load(tab, { user: 'mina' });
  assert.equal(jun.own, null);
  assert.deepEqual([countKept('mina', tab), countKept('mina.lee', tab), countEndingWithTab(tab)], [0, 2, 2]);
  jun.storage.close();
  forgetKept('mina.lee', tab);
  assert.deepEqual(slotsIn(tab.session), []);
});

it('forgets a guest when another user signs in, because the guest cannot come back', async () => {
  const tab = fakeDevice().openTab();
  const guest = await load(tab, { user: 'guest-1' });
  guest.storage.drafts.save(items('a'));
  guest.storage.close();
  (await load(tab, { user: 'guest-1' })).storage.close();
  assert.equal(slotsIn(tab.session).length, 1);
  (await load(tab, { user: 'guest-2' })).storage.close();
  assert.deepEqual(slotsIn(tab.session), []);
});

it('keeps the texts of a guest in another tab that lives, also when another user signs in', async () => {
  const device = fakeDevice();
  const [one, two] = [device.openTab(), device.openTab()];
  const guest = await load(one, { user: 'guest-1', keep: 'device' });
  guest.storage.outbox.save(items('waits'));
  const other = await load(two, { user: 'guest-2', keep: 'device' });
  other.storage.outbox.save(items('mine'));
  assert.equal(guest.storage.outbox.load(), items('waits'));
  other.storage.close();
  // The user of the first tab changes.
  guest.storage.close();
  await settle();
  (await load(one, { user: 'guest-3', keep: 'device' })).storage.close();
  assert.deepEqual(slotsIn(device.local), []);
});

it('keeps nothing more of a user who signed out while a client still runs', async () => {
  const tab = fakeDevice().openTab();
  const { storage } = await load(tab);
  storage.drafts.save(items('a'));
  assert.equal(countKept('mina', tab), 1);
  forgetKept('mina', tab);
  storage.drafts.save(items('a', 'b'));
  assert.equal(countKept('mina', tab), 0);
  storage.close();
  const again = await load(tab);
  again.storage.drafts.save(items('c'));
  assert.equal(countKept('mina', tab), 1);
});

it('does not count texts on the device as lost with the tab', async () => {
  const tab = fakeDevice().openTab();
  const { storage } = await load(tab, { keep: 'device' });
  storage.outbox.save(items('a'));
  assert.deepEqual([countKept('mina', tab), countEndingWithTab(tab)], [1, 0]);
});

it('leaves texts of another version unchanged, and logs that', async () => {
  const tab = fakeDevice().openTab();
  const warnings: string[] = [];
  const logger = { debug: () => {}, warn: (message: string) => void warnings.push(message) };
  tab.session.setItem('maru.kept.2.outbox.mina.abc', '{"v":2}');
  const { own, taken } = await load(tab, { logger });
  tab.clock.pass(0);
  await settle();
  assert.deepEqual([own, taken.length, warnings.length], [null, 0, 1]);
  assert.equal(tab.session.getItem('maru.kept.2.outbox.mina.abc'), '{"v":2}');
});

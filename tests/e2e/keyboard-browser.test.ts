/** The web page without a mouse, and with a screen reader, in both languages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { connect } from '../support/client.ts';
import { assertFocus, enterBoth, goTo, myRoom, say, storedRow, type TwoPages } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const errors: string[] = [];
const room = newRoom('keys');
let pages: TwoPages;

before(async () => {
  if (typeof launched === 'string') return;
  const options = { browser: launched as Browser, endpoint: cluster.endpoint, room, errors };
  pages = await enterBoth(options, newRoom('start'));
  for (const { page } of both()) await page.setViewportSize({ width: 1600, height: 900 });
});
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

const both = () => [
  { page: pages.mina, other: pages.jun, and: (count: number) => `and ${count} more messages` },
  { page: pages.jun, other: pages.mina, and: (count: number) => `그 밖에 메시지 ${count}개` },
];

/** The focused region, and whether the focus is visible. */
const focus = (page: Page) =>
  page.evaluate(() => {
    const { document, getComputedStyle } = globalThis as unknown as {
      document: { activeElement: HTMLElementLike | null };
      getComputedStyle(element: unknown): { outlineStyle: string };
    };
    interface HTMLElementLike {
      id: string;
      dataset: Record<string, string>;
      tagName: string;
      className: string;
      closest(selector: string): HTMLElementLike | null;
    }
    const element = document.activeElement;
    const shown = element?.closest('.composer-box') ?? element;
    return {
      region: element?.closest('[data-region]')?.dataset.region ?? null,
      isShown: getComputedStyle(shown).outlineStyle !== 'none',
      name: `${element?.tagName}#${element?.id}.${element?.className}`,
    };
  });

interface PageGlobal {
  sessionStorage: { getItem(key: string): string };
}

const press = (page: Page, ...keys: string[]) =>
  keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve());

const openRoom = async (page: Page) => (await page.getByTestId('messages').getAttribute('data-room')) ?? '';

describe('the keyboard in the web page', { skip }, () => {
  test('skips to the messages and to the composer', async () => {
    for (const { page } of both()) {
      const [toMessages, toComposer] = [page.locator('.skip-link').first(), page.locator('.skip-link').last()];
      await toMessages.focus();
      assert.ok((await toMessages.boundingBox())?.y ?? -1 >= 0, 'it is shown');
      await press(page, 'Enter');
      assert.equal((await focus(page)).region, 'messages');
      await toComposer.focus();
      await press(page, 'Enter');
      assert.equal((await focus(page)).region, 'composer');
    }
  });

  test('moves between the regions of the page with F6, and shows the focused one', async () => {
    for (const { page } of both()) {
      await page.getByTestId('message-input').focus();
      const seen: Array<string | null> = [];
      for (let i = 0; i < 4; i++) {
        await press(page, 'F6');
        const { region, isShown, name } = await focus(page);
        assert.ok(isShown, `the focus on ${name} must be visible`);
        seen.push(region);
      }
      assert.deepEqual(seen, ['people', 'rooms', 'messages', 'composer']);
      await press(page, 'Shift+F6', 'Shift+F6');
      assert.equal((await focus(page)).region, 'rooms');
    }
  });

  test('lists the shortcuts, and returns to the previous focus', async () => {
    for (const { page } of both()) {
      await page.getByTestId('message-input').focus();
      await press(page, 'Control+/');
      await page.getByTestId('shortcut-dialog').waitFor();
      assert.ok((await page.locator('.shortcut').count()) >= 15);
      await press(page, 'Escape');
      await page.getByTestId('shortcut-dialog').waitFor({ state: 'detached' });
      assert.equal((await focus(page)).region, 'composer');
      await page.keyboard.type('?');
      assert.equal(await page.getByTestId('message-input').inputValue(), '?', 'in a field it is a character');
      await page.getByTestId('message-input').fill('');
      await page.locator('.log').focus();
      await page.keyboard.type('?');
      await page.getByTestId('shortcut-dialog').waitFor();
      await press(page, 'Escape');
      await page.getByTestId('shortcut-dialog').waitFor({ state: 'detached' });
    }
  });

  test('closes the panel beside the room with Escape, from anywhere', async () => {
    for (const { page } of both()) {
      await press(page, 'Control+k');
      await page.getByTestId('find-input').waitFor();
      await page.getByTestId('message-input').focus();
      await press(page, 'F6');
      assert.equal((await focus(page)).region, 'pane');
      await page.getByTestId('message-input').focus();
      await press(page, 'Escape');
      await page.getByTestId('find').waitFor({ state: 'detached' });
      assert.equal((await focus(page)).region, 'composer');
    }
  });

  test('moves through the whole page with Tab, and out of it', async () => {
    for (const { page } of both()) {
      await say(page, 'a stop of Tab');
      await page.locator('.skip-link').first().focus();
      const stops: string[] = [];
      await poll('Tab to leave the page', async () => {
        const { name } = await focus(page);
        if (name.startsWith('BODY') || stops.length > 80) return true;
        stops.push(name);
        await press(page, 'Tab');
        return false;
      });
      assert.ok(stops.length > 10 && stops.length < 80, `${stops.length} stops`);
      assert.ok(
        stops.some((name) => name.includes('message-input')),
        'the composer is one of them',
      );
    }
  });
});

describe('the focus in the web page', { skip }, () => {
  test('stays in the page when the focused element disappears', async () => {
    const { mina, jun } = pages;
    await say(jun, 'soon gone');
    await storedRow(mina, 'soon gone').hover();
    await storedRow(mina, 'soon gone').getByTestId('message-menu').focus();
    await mina.evaluate(() => {
      const { document } = globalThis as unknown as { document: { activeElement: { remove(): void } } };
      document.activeElement.remove();
    });
    await assertFocus(mina, 'the removal of a focused button');
    assert.equal((await focus(mina)).region, 'messages');
    await goTo(mina, newRoom('other'));
    await goTo(mina, room);
  });

  test('stays in the page when a moderator removes who is typing', async () => {
    const left = newRoom('left');
    const owner = await connect(cluster.endpoint, { token: (await createGuest(cluster.endpoint, 'Sora')).token });
    await owner.ok('room:create', { room: left });
    for (const { page } of both()) {
      await goTo(page, left);
      await page.getByTestId('message-input').pressSequentially('I am ty');
      const user = await page.evaluate(
        () => JSON.parse((globalThis as unknown as PageGlobal).sessionStorage.getItem('maru.session')).user.id,
      );
      await owner.ok('room:kick', { room: left, user, clientMsgId: newId() });
      await page.getByTestId('room-problem').waitFor();
      await assertFocus(page, 'a removal');
      await goTo(page, room);
    }
    owner.close();
  });

  test('stays in the page when the directory is read again', async () => {
    for (const { page } of both()) {
      await page.route('**/api/v1/rooms?*', (route) => route.fulfill({ status: 503, body: '{}' }));
      await page.getByTestId('all-rooms').click();
      await page.getByTestId('directory-retry').waitFor();
      await page.unroute('**/api/v1/rooms?*');
      await page.getByTestId('directory-retry').press('Enter');
      await page.getByTestId('directory-retry').waitFor({ state: 'detached' });
      await assertFocus(page, 'the retry');
      await goTo(page, room);
    }
  });
});

describe('screen reader announcements', { skip }, () => {
  test('account for each of ten quick messages', async () => {
    const { token } = await createGuest(cluster.endpoint, 'Sora');
    const client = await connect(cluster.endpoint, { token });
    const texts = Array.from({ length: 10 }, (_, i) => `quick ${i}`);
    const sent = texts.map((text) => client.ok('message:send', { room, clientMsgId: newId(), text }));
    await Promise.all(sent);
    client.close();
    for (const { page, and } of both()) {
      await storedRow(page, 'quick 9').waitFor();
      await poll('all of them to be announced', async () => {
        const lines = await page.getByTestId('announcements').locator('p').allInnerTexts();
        const full = lines.filter((line) => line.startsWith('Sora: quick '));
        const more = lines.filter((line) => !line.includes('Sora') && /\d/.test(line));
        for (const line of more) assert.equal(line, and(Number(/\d+/.exec(line))));
        return full.length + more.reduce((sum, line) => sum + Number(/\d+/.exec(line)), 0) === 10;
      });
    }
  });
});

describe('shortcuts of rooms', { skip }, () => {
  test('go to the next room, and to the next one with new messages', async () => {
    const { mina, jun } = pages;
    await mina.getByTestId('room-about').click();
    await mina.getByTestId('notify-form').locator('input[value="all"]').check();
    await mina.getByTestId('notify-submit').click();
    await myRoom(mina, room).waitFor();
    await press(mina, 'Escape');
    await jun.getByTestId('person').filter({ hasText: 'Mina' }).getByTestId('direct-button').click();
    await poll('the direct room to open', async () => (await openRoom(jun)).startsWith('d-'));
    await say(jun, 'just you');
    const direct = await openRoom(jun);
    await myRoom(mina, direct).getByTestId('unread-count').waitFor();
    for (const key of ['Alt+Shift+ArrowDown', 'Alt+ArrowDown', 'Alt+ArrowUp']) {
      const before = await openRoom(mina);
      await press(mina, key);
      await poll(`${key} to open another room`, async () => (await openRoom(mina)) !== before);
      if (key !== 'Alt+ArrowDown') assert.equal(await openRoom(mina), direct);
      await mina.getByTestId('message-input').waitFor();
      await assertFocus(mina, key);
    }
  });

  test('go through the visible rooms in the order of the list', async () => {
    const { mina } = pages;
    const listed = () =>
      mina
        .locator('.rooms li[data-room]')
        .evaluateAll((rows) => [
          ...new Set(rows.map((row) => (row as unknown as { dataset: { room: string } }).dataset.room)),
        ]);
    const go = async (key: string, to: string | undefined) => {
      await press(mina, key);
      await mina.locator(`[data-testid="messages"][data-room="${to}"]`).waitFor({ state: 'attached' });
    };
    const [start, direct] = [await openRoom(mina), (await listed())[0]];
    assert.ok((await listed()).length >= 3, 'a direct room, a followed one, and one that was visited');
    // The visited room, which is in no list of the server, is included.
    for (let i = 0; i < 4; i++) {
      const order = await listed();
      await go('Alt+ArrowDown', order[(order.indexOf(await openRoom(mina)) + 1) % order.length]);
    }
    const before = await openRoom(mina);
    const order = await listed();
    await go('Alt+ArrowUp', order.at(order.indexOf(before) - 1));
    await goTo(mina, direct ?? '');
    await mina.getByTestId('room-jump-input').fill(room);
    await poll('the list to be narrowed', async () => (await listed()).join() === room);
    await go('Alt+ArrowUp', room);
    await mina.getByTestId('room-jump-input').fill('');
    await goTo(mina, start);
  });

  test('causes no script or policy error', () => {
    // The directory could not be read once, on purpose.
    assert.deepEqual(
      errors.filter((error) => !error.includes('status of 503')),
      [],
    );
  });
});

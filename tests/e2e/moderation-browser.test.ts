/** Roles and moderation in the web page: offered acts, and the page of a removed user. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { enterPage, goTo, say } from '../support/pages.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

/** Script errors, refused resources and Content-Security-Policy violations of all pages. */
const pageErrors: string[] = [];

const enter = (name: string, room: string, locale: string): Promise<Page> =>
  enterPage({ browser: launched as Browser, endpoint: cluster.endpoint, name, room, locale, errors: pageErrors });

/** Opens the menu of the newest message with this text. */
async function openMenu(page: Page, text: string): Promise<void> {
  const message = page.getByTestId('message').filter({ hasText: text }).last();
  await message.hover();
  await message.getByTestId('message-menu').click();
  await page.getByTestId('menu').waitFor();
}

const isThere = async (page: Page, testId: string) => (await page.getByTestId(testId).count()) > 0;

describe('the web page', { skip }, () => {
  let owner: Page;
  let member: Page;
  const room = newRoom('moderated');

  before(async () => {
    owner = await enter('Mina', newRoom('start'), 'en-GB');
    await owner.getByTestId('new-room').click();
    await owner.locator('input[value="public"]').check();
    await owner.locator('#create-room').fill(room);
    await owner.getByTestId('create-submit').click();
    await owner.locator(`[data-testid="messages"][data-room="${room}"]`).waitFor({ state: 'attached' });
    member = await enter('준', room, 'ko-KR');
    await say(owner, 'welcome');
    await say(member, 'buy watches');
  });

  test('offers a member only to report a message', async () => {
    assert.equal(await isThere(member, 'room-settings'), false);
    await openMenu(member, 'welcome');
    for (const act of ['edit', 'pin', 'delete', 'manage-person']) assert.equal(await isThere(member, act), false, act);
    await member.getByTestId('report-message').click();
    await member.locator('#report-reason').fill('too friendly');
    await member.getByTestId('report-submit').click();
    await member.getByText('고맙습니다').waitFor();
    await member.keyboard.press('Escape');
  });

  test('shows reports to the owner, who can close them', async () => {
    await owner.getByTestId('room-settings').click();
    await owner.locator('[data-testid="section-reports"] summary').click();
    const report = owner.getByTestId('report');
    await report.filter({ hasText: 'too friendly' }).filter({ hasText: 'welcome' }).waitFor();
    await owner.getByTestId('close-report').click();
    await owner.getByText('No open reports.').waitFor();
    await owner.keyboard.press('Escape');
    await owner.locator('[data-testid="room-settings"]:focus').waitFor();
  });

  test('opens a direct room with a person suggested by name', async () => {
    await owner.getByTestId('new-room').click();
    await owner.locator('input[value="direct"]').check();
    const id = await owner.locator('#create-people option[label="준"]').getAttribute('value');
    await owner.locator('#create-user').fill(id ?? '');
    await owner.getByTestId('create-submit').click();
    await owner.locator('[data-testid="messages"][data-room^="d-"]').waitFor({ state: 'attached' });
    await say(owner, 'just us');
    await member.getByTestId('direct-rooms').getByText('Mina').click();
    await member.getByTestId('message').filter({ hasText: 'just us' }).waitFor();
    for (const page of [owner, member]) await goTo(page, room);
  });

  test('mutes a member, whose composer shows the mute', async () => {
    await openMenu(owner, 'buy watches');
    await owner.getByTestId('manage-person').click();
    await owner.locator('input[value="mute"]').check();
    await owner.getByTestId('sanction-submit').click();
    await member.locator('[data-testid="message-input"]:disabled').waitFor();
    assert.match((await member.getByTestId('composer-hint').textContent()) ?? '', /까지 이 방에 쓸 수 없습니다/);
  });

  test('bans a member, whose page then shows the reason', async () => {
    await openMenu(owner, 'buy watches');
    await owner.getByTestId('manage-person').click();
    await owner.locator('input[value="ban"]').check();
    await owner.locator('#sanction-reason').fill('spam');
    await owner.getByTestId('sanction-submit').click();
    const problem = member.getByTestId('room-problem');
    await problem.waitFor();
    assert.equal(await problem.getAttribute('data-reason'), 'banned');
    const words = (await problem.textContent()) ?? '';
    assert.match(words, /이 방에서 차단되었습니다/);
    assert.match(words, /Mina.*준.*차단했습니다.*spam/);
    assert.equal(await isThere(member, 'message-input'), false);
    await owner
      .locator('[data-testid="act"][data-type="room.ban"]')
      .filter({ hasText: /Mina.* banned .*준/ })
      .waitFor();
    await member.getByTestId('enter-again').click();
    await member.locator('[data-testid="room-problem"][data-reason="forbidden"]').waitFor();
  });

  test('lifts a ban, after which the member can join again', async () => {
    await owner.getByTestId('room-settings').click();
    await owner.locator('[data-testid="section-bans"] summary').click();
    for (const kind of ['Banned', 'Muted']) {
      const ban = owner.getByTestId('ban').filter({ hasText: kind });
      await ban.getByTestId('lift').click();
      await ban.waitFor({ state: 'detached' });
    }
    await owner.keyboard.press('Escape');
    await member.getByTestId('enter-again').click();
    await say(member, 'sorry');
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(pageErrors, []);
  });
});

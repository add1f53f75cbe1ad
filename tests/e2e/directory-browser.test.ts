/** Signing in with an account of a real directory in Chromium, through the real edge. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { findingsOf, installAxe } from '../support/axe.ts';
import { launchBrowser } from '../support/browser.ts';
import { repository } from '../support/cluster.ts';
import { type Gateways, startGateways } from '../support/gateways.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { say } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { directorySettings, groupDn, personDn, type Slapd, startSlapd, withoutSlapd } from '../support/slapd.ts';

/** The page renews it after two thirds of this time. */
const TOKEN_S = 10;
const FAILURES_FREE = 3;
const skip = withoutSlapd();
const LANGUAGES = [
  {
    locale: 'en-GB',
    missing: /enter the account name/,
    wrong: /name or the password is wrong/,
    forbidden: /may not use this chat/,
    wait: /try again in \d+ s/,
    down: /does not work right now/,
  },
  {
    locale: 'ko-KR',
    missing: /입력해 주세요/,
    wrong: /맞지 않습니다/,
    forbidden: /이 채팅을 사용할 수 없/,
    wait: /\d+초 뒤에/,
    down: /로그인할 수 없습니다/,
  },
];

let browser: Browser | undefined;
let slapd: Slapd;
let site: Gateways;
let nginx: Nginx;
const errors: string[] = [];

before(async () => {
  if (skip !== false) return;
  slapd = await startSlapd();
  for (const uid of ['mina', 'leaver', 'outside', 'guessed-en-GB', 'guessed-ko-KR']) await slapd.addPerson(uid);
  await slapd.addPerson('disabled', { userAccountControl: '514' });
  const team = await slapd.addGroup('team', ['mina', 'leaver', 'disabled'].map(personDn));
  await slapd.addGroup('chat', [team]);
  site = await startGateways({
    environment: {
      ...directorySettings(slapd),
      MARU_LDAP_ALLOWED_GROUPS: groupDn('chat'),
      MARU_SIGN_IN_TOKEN_S: String(TOKEN_S),
      MARU_SIGN_IN_FAILURES_FREE: String(FAILURES_FREE),
      MARU_SIGN_IN_REFUSAL_MS: '0',
      MARU_LDAP_DEADLINE_MS: '1000',
      MARU_TRUSTED_PROXIES: '127.0.0.1',
    },
  });
  nginx = await startNginx({
    gatewayPorts: [Number(new URL(site.gateways[0]?.url ?? '').port)],
    prepare: (webRoot) => cpSync(path.join(repository, 'apps/web/dist'), webRoot, { recursive: true }),
  });
  const launched = await launchBrowser();
  if (typeof launched !== 'string') browser = launched;
});
after(async () => {
  await browser?.close();
  await nginx?.stop();
  await site?.stop();
  await slapd?.stop();
});

const metric = (name: string, labels?: string) => site.gateways[0]?.metric(name, labels);

async function open(locale: string): Promise<Page> {
  const context = await (browser as Browser).newContext({ locale });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${nginx.url}/`);
  await page.getByTestId('username-input').waitFor();
  return page;
}

async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByTestId('username-input').fill(username);
  await page.getByTestId('password-input').fill(password);
  await page.getByTestId('password-input').press('Enter');
}

const problem = (page: Page, words: RegExp) => page.getByTestId('sign-in-error').filter({ hasText: words }).waitFor();

describe('the session of an account', { skip }, () => {
  test('is over on this device when the server cannot end it elsewhere', async (t) => {
    if (browser === undefined) return t.skip('there is no browser');
    const page = await open('ko-KR');
    await installAxe(page);
    await signIn(page, 'mina', 'mina');
    await page.getByTestId('message-input').waitFor();
    await page.getByTestId('leave-button').first().click();
    await page.route('**/api/v1/sign-out', (route) => route.abort());
    await page.getByRole('button', { name: '모든 기기에서 로그아웃' }).click();
    await page.getByTestId('sign-out-failed').waitFor();
    assert.deepEqual(await findingsOf(page), []);
    await page.getByRole('button', { name: '이 기기에서만 로그아웃' }).click();
    await page.getByTestId('username-input').waitFor();
    await page.reload();
    await page.getByTestId('username-input').waitFor();
    await page.context().close();
  });

  test('is over on all devices when the user says so', async (t) => {
    if (browser === undefined) return t.skip('there is no browser');
    const [page, other] = [await open('en-GB'), await open('en-GB')];
    for (const one of [page, other]) {
      await signIn(one, 'mina', 'mina');
      await one.getByTestId('message-input').waitFor();
    }
    await page.getByTestId('leave-button').first().click();
    const everywhere = page.getByRole('button', { name: 'Sign out on all devices' });
    // While the server does not answer, nothing is said to be done.
    await page.route('**/api/v1/sign-out', (route) => route.abort());
    await everywhere.click();
    await page.getByTestId('sign-out-failed').filter({ hasText: 'did not work' }).waitFor();
    assert.equal(await other.getByTestId('message-input').isVisible(), true);
    await page.unroute('**/api/v1/sign-out');
    await everywhere.click();
    await page.getByTestId('username-input').waitFor();
    await other.getByTestId('username-input').waitFor();
    for (const one of [page, other]) await one.context().close();
  });
});

describe('the sign-in with an account of a directory', { skip }, () => {
  for (const { locale, missing, wrong, forbidden, wait, down } of LANGUAGES) {
    test(`shows why it failed, and axe reports nothing (${locale})`, async (t) => {
      if (browser === undefined) return t.skip('there is no browser');
      const page = await open(locale);
      await page.getByTestId('account-button').click();
      await problem(page, missing);
      await signIn(page, 'mina', 'not hers');
      await problem(page, wrong);
      await signIn(page, 'nobody', 'at all');
      await problem(page, wrong);
      for (const uid of ['outside', 'disabled']) {
        await signIn(page, uid, uid);
        await problem(page, forbidden);
        await page.getByTestId('password-input').fill('');
      }
      await installAxe(page);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await findingsOf(page), [], colorScheme);
      }
      for (let failures = 0; failures <= FAILURES_FREE; failures++) {
        await page.getByTestId('account-button').and(page.locator(':enabled')).waitFor();
        await signIn(page, `guessed-${locale}`, 'a guess');
      }
      await problem(page, wait);
      await slapd.pause();
      try {
        await signIn(page, 'mina', 'mina');
        await problem(page, down);
      } finally {
        slapd.resume();
      }
      await signIn(page, 'mina', 'mina');
      await page.getByTestId('message-input').waitFor();
      await page.context().close();
    });
  }

  test('keeps the connection while tokens are renewed, and ends when the user leaves the group', async (t) => {
    if (browser === undefined) return t.skip('there is no browser');
    const page = await open('en-GB');
    await signIn(page, 'leaver', 'leaver');
    await say(page, 'hello');
    const [connects, renewals] = [
      await metric('maru_connects_total'),
      () => metric('maru_request_duration_seconds_count', 'event="auth:renew"'),
    ];
    const before = (await renewals()) ?? 0;
    await poll('a renewal', async () => ((await renewals()) ?? 0) > before, { timeoutMs: 30_000 });
    assert.equal(await metric('maru_connects_total'), connects);
    await say(page, 'still here');

    await slapd.modify(groupDn('team'), 'delete', { member: [personDn('leaver')] });
    await page.getByTestId('username-input').waitFor({ timeout: 2 * TOKEN_S * 1_000 + 10_000 });
    await signIn(page, 'leaver', 'leaver');
    await problem(page, /may not use this chat/);
    await page.context().close();
  });

  test('causes no script error', () => {
    assert.deepEqual(errors, []);
  });
});

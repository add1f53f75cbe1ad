/** Signing in at a real OpenID provider in Chromium, through the real edge. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { findFreePort } from '@maru/service-kit/testing';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { repository } from '../support/cluster.ts';
import { type Gateways, startGateways } from '../support/gateways.ts';
import { AUDIENCE, CLIENT_ID, type IdentityProvider, startProvider } from '../support/identity-provider.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { poll } from '../support/poll.ts';

/** The page renews it after two thirds of this time. */
const TOKEN_S = 6;
let browser: Browser | undefined;
let site: Gateways;
let nginx: Nginx;
let provider: IdentityProvider;
before(async () => {
  const port = await findFreePort();
  const issuer = `http://127.0.0.1:${port}`;
  site = await startGateways({
    environment: {
      MARU_OIDC_ISSUER: issuer,
      MARU_OIDC_CLIENT_ID: CLIENT_ID,
      MARU_OIDC_AUDIENCES: AUDIENCE,
      MARU_OIDC_NAME: 'Example Inc.',
      MARU_TRUSTED_PROXIES: '127.0.0.1',
    },
  });
  nginx = await startNginx({
    gatewayPorts: [Number(new URL(site.gateways[0]?.url ?? '').port)],
    connectOrigins: [issuer],
    prepare: (webRoot) => cpSync(path.join(repository, 'apps/web/dist'), webRoot, { recursive: true }),
  });
  provider = await startProvider({ port, origin: nginx.url, accessTokenS: TOKEN_S });
  const launched = await launchBrowser();
  if (typeof launched !== 'string') browser = launched;
});
after(async () => {
  await browser?.close();
  await nginx?.stop();
  await site?.stop();
  await provider?.stop();
});

const metric = (name: string) => site.gateways[0]?.metric(name);
const refreshes = () => provider.granted.filter((kind) => kind === 'refresh_token').length;
const composer = (page: Page) => page.getByTestId('message-input');

/** The pages of the provider: a name, a password, and consent. */
async function signInAtProvider(page: Page): Promise<void> {
  await page.locator('input[name=login]').fill('mina');
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

test('signs in, chats while tokens are renewed, returns after a reload, and signs out everywhere', async (t) => {
  if (browser === undefined) return t.skip('there is no browser');
  const context = await browser.newContext();
  const page = await context.newPage();
  const answers: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(`${nginx.url}/?`)) answers.push(request.url());
  });
  await page.goto(`${nginx.url}/`);
  await page.getByTestId('provider-button').click();
  await signInAtProvider(page);
  await composer(page).fill('hello');
  await composer(page).press('Enter');
  await page.locator('[data-testid=message][data-state=stored]').waitFor();

  const connects = await metric('maru_connects_total');
  await poll('two renewals', () => refreshes() >= 2, { timeoutMs: 30_000 });
  assert.equal(await metric('maru_connects_total'), connects);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.doesNotMatch(stored, /eyJ/, 'no token is stored');

  await page.reload();
  await composer(page).waitFor();
  const [answer = assert.fail('no answer')] = answers;
  const codes = provider.granted.filter((kind) => kind === 'authorization_code').length;
  assert.equal(codes, 2);

  const again = await context.newPage();
  await again.goto(answer);
  await again.getByTestId('sign-in-error').waitFor();
  assert.equal(provider.granted.filter((kind) => kind === 'authorization_code').length, codes);
  await again.goto(`${nginx.url}/r/lobby`);
  await composer(again).waitFor();

  await page.getByTestId('leave-button').first().click();
  await page.getByRole('button', { name: 'Sign out on all devices' }).click();
  await page.getByRole('button', { name: /yes/i }).click();
  await page.getByTestId('provider-button').waitFor();
  await again.getByTestId('sign-in-error').waitFor();
  await page.getByTestId('provider-button').click();
  await page.locator('input[name=login]').waitFor();
  await context.close();
});

test('refuses an ID token that was made for another sign-in', async (t) => {
  if (browser === undefined) return t.skip('there is no browser');
  const context = await browser.newContext();
  const page = await context.newPage();
  // The provider signs the requested nonce. Here it differs from the stored one.
  await page.route(`${provider.issuer}/auth?*`, async (route) => {
    const url = new URL(route.request().url());
    assert.notEqual(url.searchParams.get('nonce'), null);
    url.searchParams.set('nonce', 'of-another-sign-in');
    await route.continue({ url: url.href });
  });
  const codes = provider.granted.length;
  await page.goto(`${nginx.url}/`);
  await page.getByTestId('provider-button').click();
  await signInAtProvider(page);
  await page.getByTestId('sign-in-error').waitFor();
  assert.equal(provider.granted.length, codes + 1, 'the provider gave tokens');
  assert.equal(await composer(page).count(), 0);

  await page.unroute(`${provider.issuer}/auth?*`);
  await page.getByTestId('provider-button').click();
  await composer(page).waitFor();
  await context.close();
});

test('refuses an answer that the page did not request, and one that was already used', async (t) => {
  if (browser === undefined) return t.skip('there is no browser');
  const context = await browser.newContext();
  const page = await context.newPage();
  const exchanges: string[] = [];
  const answers: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (request.method() === 'POST' && url.endsWith('/token')) exchanges.push(url);
    if (url.startsWith(`${nginx.url}/?`)) answers.push(url);
  });
  /** An attacker opens the page with an answer of the attacker's own sign-in. */
  const lead = async (address: string) => {
    await page.goto(address);
    await page.getByTestId('sign-in-error').waitFor();
    assert.equal(await composer(page).count(), 0);
  };
  // The issuer is correct. Only the state is wrong.
  const foreign = new URLSearchParams({ code: 'of-an-attacker', state: 'of-an-attacker', iss: provider.issuer });
  await lead(`${nginx.url}/?${foreign}`);
  // The same while the page waits for an answer with another state.
  await page.goto(`${nginx.url}/`);
  await page.getByTestId('provider-button').click();
  await page.locator('input[name=login]').waitFor();
  await lead(`${nginx.url}/?${foreign}`);
  assert.deepEqual(exchanges, [], 'no code was sent to the provider');

  await page.getByTestId('provider-button').click();
  await signInAtProvider(page);
  await composer(page).waitFor();
  const answer = answers.at(-1) ?? assert.fail('no answer');
  const codes = exchanges.length;
  await lead(answer);
  assert.equal(exchanges.length, codes, 'the code was not sent again');
  await context.close();
});

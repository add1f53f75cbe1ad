/**
 * The rendering of message texts. The built page runs with the real edge's policy against a fake
 * server.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { enterGuest, rowAt } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
const BOT = { id: 'bot', name: 'Bot' };
const errors: string[] = [];

after(async () => {
  await pages.close();
  await server.close();
});

async function enter(locale: string, room: string): Promise<Page> {
  const context = await pages.newContext({ locale, viewport: { width: 900, height: 600 } });
  return enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors });
}

async function postTo(page: Page, room: string, text: string) {
  const { seq } = server.post(room, BOT, text);
  await rowAt(page, String(seq)).waitFor();
  return rowAt(page, String(seq)).locator('.text');
}

const HOSTILE = [
  '<img src=x onerror="document.title=1"> <b>bold</b> <script>document.title = 1</script>',
  '[click](javascript:document.title=1) javascript:document.title=1 [a](data:text/html,b)',
  '[https://bank.example](https://evil.example)',
  '> '.repeat(5_000),
  '['.repeat(8_000),
  '*'.repeat(8_000),
  '- '.repeat(4_000),
];

describe('the text of a message', { skip }, () => {
  const room = newRoom('text');
  let page: Page;
  before(async () => {
    page = await enter('en-GB', room);
  });
  const post = (text: string) => postTo(page, room, text);

  test('is formatted as its author typed it', async () => {
    const text = await post('**"강조"**는 *a* ~~b~~ `c`\n> quote\n\n3. three\n- bullet\n```ts\ncode\n```');
    await text.locator('strong').waitFor();
    assert.equal(await text.locator('strong').textContent(), '"강조"');
    const one = (selector: string) => text.locator(selector).textContent();
    assert.deepEqual(
      [await one('em'), await one('del'), await one('blockquote'), await one('ul'), await one('pre')],
      ['a', 'b', 'quote', 'bullet', 'code'],
    );
    assert.equal(await text.locator('ol > li').getAttribute('value'), '3');
  });

  test('opens links in another tab, which cannot access this one', async () => {
    const text = await post('https://a.example/b를 보세요');
    const link = text.locator('a');
    await link.waitFor();
    assert.equal(await link.textContent(), 'https://a.example/b');
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
    const context = page.context();
    await context.route('https://a.example/**', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<title>outside</title>' }),
    );
    const [opened] = await Promise.all([context.waitForEvent('page'), link.click()]);
    await poll('the other page', async () => (await opened.title()) === 'outside');
    assert.equal(await opened.evaluate('window.opener'), null);
    assert.equal(await opened.evaluate('document.referrer'), '');
    await opened.close();
  });

  test('opens links to rooms in the same page', async () => {
    const other = newRoom('linked');
    const { seq } = server.post(other, BOT, 'here');
    const text = await post(`${server.url}/r/${other}/${seq}`);
    const link = text.locator('a');
    await link.waitFor();
    assert.equal(await link.getAttribute('target'), null);
    await page.evaluate('window.isSamePage = true');
    await link.click();
    await rowAt(page, String(seq)).filter({ hasText: 'here' }).waitFor();
    assert.equal(new URL(page.url()).pathname.startsWith(`/r/${other}`), true);
    assert.equal(await page.evaluate('window.isSamePage'), true, 'the page was not loaded again');
    await page.goBack();
    await text.waitFor();
  });

  test('shows hostile texts as typed', async () => {
    for (const hostile of HOSTILE) await post(hostile);
    const last = await post('**end**');
    await last.locator('strong').waitFor();
    const rows = page.getByTestId('messages');
    assert.equal(
      await rows.locator('img, script, b, iframe, [style], a[href^="javascript" i], a[href^="data" i]').count(),
      0,
    );
    const links = await rows.locator('a[href*="bank.example"], a[href*="evil.example"]').allInnerTexts();
    assert.deepEqual(links, ['https://bank.example', 'https://evil.example']);
    assert.notEqual(await page.title(), '1');
    assert.equal(
      (await rows.locator('blockquote blockquote blockquote blockquote blockquote blockquote').count()) < 3,
      true,
    );
  });

  test('allows scrolling wide code with the keyboard', async () => {
    const text = await post(`\`\`\`\n${'wide '.repeat(100)}\n\`\`\``);
    const code = text.locator('pre[tabindex="0"]');
    await code.waitFor();
    assert.equal(await code.getAttribute('aria-label'), 'Code');
    await code.focus();
    await page.keyboard.press('ArrowRight');
    await poll('the code to scroll', () => code.evaluate((box) => box.scrollLeft > 0));
  });

  test('keeps a stack of combining marks in its line', async () => {
    const text = await post(`above\nx${'\u0301\u0325'.repeat(200)}y\nbelow`);
    const [stack, box] = [await text.locator('.stack').boundingBox(), await text.boundingBox()];
    assert.ok(stack !== null && box !== null);
    assert.ok(stack.height <= box.height / 3 + 1, 'a line of three');
  });

  test('violated no policy of the page', () => {
    // The fake server does not answer all requests.
    assert.deepEqual(
      errors.filter((error) => !error.includes('Failed to load resource')),
      [],
    );
  });
});

const LANGUAGES = [
  { locale: 'en-GB', more: 'Show more', less: 'Show less' },
  { locale: 'ko-KR', more: '더 보기', less: '접기' },
] as const;

describe('a long message', { skip }, () => {
  for (const { locale, more, less } of LANGUAGES) {
    test(`folds, and the text being read does not move when it expands and folds (${locale})`, async () => {
      const room = newRoom('fold');
      for (let i = 1; i <= 30; i++) server.post(room, BOT, `cup ${i}`);
      const long = server.post(room, BOT, Array.from({ length: 60 }, (_, i) => `**line** ${i + 1}`).join('\n'));
      const page = await enter(locale, room);
      const row = rowAt(page, String(long.seq));
      const button = row.getByTestId('fold');
      const topOf = async (part: typeof row) => (await part.boundingBox())?.y ?? Number.NaN;
      await row.locator('strong').first().waitFor();
      assert.equal(await button.textContent(), more);
      assert.equal(await button.getAttribute('aria-expanded'), 'false');
      assert.match((await row.textContent()) ?? '', /line 12 …/);
      await poll('the end of the list', async () => (await button.boundingBox()) !== null);

      const top = await topOf(row);
      await button.click();
      await poll('the whole text', async () => (await row.textContent())?.includes('line 60') === true);
      assert.equal(await button.textContent(), less);
      assert.equal(await button.getAttribute('aria-expanded'), 'true');
      assert.ok(Math.abs((await topOf(row)) - top) <= 2, 'its beginning stays');
      server.post(room, BOT, 'meanwhile');
      await page.getByTestId('message').filter({ hasText: 'meanwhile' }).waitFor({ state: 'attached' });
      assert.ok(Math.abs((await topOf(row)) - top) <= 2, 'a new message does not move it');

      await button.scrollIntoViewIfNeeded();
      const below = await topOf(button);
      await button.click();
      await poll('the beginning alone', async () => !(await row.textContent())?.includes('line 60'));
      assert.ok(Math.abs((await topOf(button)) - below) <= 2, 'what is below it stays');
      await page.context().close();
    });
  }
});

const EMOJI = [
  { locale: 'en-GB', name: ':smi', other: ':웃', label: 'Emoji to insert' },
  { locale: 'ko-KR', name: ':웃', other: ':smi', label: '넣을 이모지' },
] as const;

describe('emoji', { skip }, () => {
  for (const { locale, name, other, label } of EMOJI) {
    test(`are suggested by name in both languages while the user types (${locale})`, async () => {
      const page = await enter(locale, newRoom('emoji'));
      const input = page.getByTestId('message-input');
      const list = page.getByTestId('emoji-list');
      await input.pressSequentially(`a ${name}`);
      await list.getByRole('option').first().waitFor();
      assert.equal(await list.getAttribute('aria-label'), label);
      const second = await list.locator('[role="option"] .suggestion-emoji').nth(1).textContent();
      await input.press('ArrowDown');
      await input.press('Enter');
      assert.equal(await input.inputValue(), `a ${second}`);
      await input.fill('');
      await input.pressSequentially(other);
      await list.getByRole('option').first().click();
      assert.match(await input.inputValue(), /^\p{RGI_Emoji}$/v);
      await input.press('Enter');
      await page.getByTestId('message').locator('.text.jumbo').waitFor();
      assert.equal(await list.count(), 0);
      await page.context().close();
    });
  }
});

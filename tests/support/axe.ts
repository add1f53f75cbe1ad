/** Checks the accessibility of the current page with axe-core. */
import axe, { type AxeResults, type RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

interface Moving {
  finished: Promise<unknown>;
  effect: { getComputedTiming(): { endTime: number } } | null;
}
interface InPage {
  run(document: unknown, options: RunOptions): Promise<AxeResults>;
}

/** WCAG 2.0 to 2.2, A and AA, and axe's best practices. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * Call it once after each load of the page. The page's Content-Security-Policy allows no other way.
 */
export const installAxe = (page: Page): Promise<void> => page.evaluate(axe.source);

/** One line for each element that breaks a rule. `rules`: only these. */
export async function findingsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  const runOnly: RunOptions['runOnly'] =
    rules === undefined ? { type: 'tag', values: TAGS } : { type: 'rule', values: [...rules] };
  const options: RunOptions = { runOnly, resultTypes: ['violations'], selectors: false, iframes: false };
  return page.evaluate(async (given) => {
    const { axe, document } = globalThis as unknown as { axe: InPage; document: { getAnimations(): Moving[] } };
    // While a drawer is still moving, it covers only a part of the page behind it.
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
    const { violations } = await axe.run(document, given);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, any, all, none }) => {
        const why = [...any, ...all, ...none].map(({ message }) => message).join('; ');
        return `${id}: ${html.slice(0, 160)}: ${why}`;
      }),
    );
  }, options);
}

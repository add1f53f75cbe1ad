/** Counts the frames that a page shows, from Chromium's trace. */
import type { Page } from 'playwright-core';

interface TraceEvent {
  name: string;
  ts: number;
  args?: { data?: { message?: string } };
}

const BEGIN = 'counting begins';

/**
 * Frames without changes are drawn but not displayed. The page MUST have no caret, because it
 * blinks.
 */
export async function framesDuring(page: Page, work: () => Promise<void>): Promise<number> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('the page has no browser');
  const categories = ['-*', 'disabled-by-default-display.framedisplayed', 'devtools.timeline'];
  await browser.startTracing(page, { categories });
  // The trace itself begins with a frame.
  await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
  await page.evaluate((begin) => console.timeStamp(begin), BEGIN);
  await work();
  const trace = await browser.stopTracing();
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const begin = traceEvents.find(({ name, args }) => name === 'TimeStamp' && args?.data?.message === BEGIN);
  if (begin === undefined) throw new Error('the trace has no mark');
  return traceEvents.filter(({ name, ts }) => name === 'Display::FrameDisplayed' && ts > begin.ts).length;
}

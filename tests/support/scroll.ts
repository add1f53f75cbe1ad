/** Scrolls the message list of the web page, and measures what moves. Runs in the page. */
import type { Page } from 'playwright-core';

export interface Scrolled {
  /** Maximum distance that a message moved without being scrolled. */
  driftPxMax: number;
  /** Maximum number of rows in the document. */
  rowsMax: number;
}

interface Box {
  scrollTop: number;
  clientHeight: number;
  getBoundingClientRect(): { top: number };
  querySelectorAll(selector: string): Iterable<{ getBoundingClientRect(): { top: number; bottom: number } }>;
  querySelector(selector: string): unknown;
}

/**
 * Scrolls by a number of screens at a time. Positive values scroll down. Stops at the ends of the
 * room.
 */
export async function scrollList(page: Page, by: { screens: number; steps: number }): Promise<Scrolled> {
  return page.evaluate(async ({ screens, steps }) => {
    const { document, requestAnimationFrame } = globalThis as unknown as {
      document: { querySelector(selector: string): Box };
      requestAnimationFrame(task: () => void): void;
    };
    const box = document.querySelector('.log');
    const frames = async (count: number) => {
      for (let i = 0; i < count; i++) await new Promise<void>((resolve) => requestAnimationFrame(resolve));
    };
    const isLoading = () =>
      box.querySelector('[data-testid="older-button"]:disabled, [data-testid="newer-button"]:disabled') !== null;
    const result = { driftPxMax: 0, rowsMax: 0 };
    for (let i = 0; i < steps; i++) {
      const rows = [...box.querySelectorAll('.message')];
      const row = rows.find((one) => one.getBoundingClientRect().top >= box.getBoundingClientRect().top);
      const from = { top: row?.getBoundingClientRect().top ?? 0, scrollTop: box.scrollTop };
      box.scrollTop += box.clientHeight * screens;
      const wanted = from.top + from.scrollTop - box.scrollTop;
      await frames(3);
      while (isLoading()) await frames(1);
      await frames(9);
      const now = row?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
      // A dropped row has no position.
      if (now.bottom > now.top) result.driftPxMax = Math.max(result.driftPxMax, Math.abs(now.top - wanted));
      result.rowsMax = Math.max(result.rowsMax, rows.length);
      const isMoving = box.scrollTop !== from.scrollTop;
      if (box.scrollTop === 0 && box.querySelector('[data-testid="beginning"]') !== null) return result;
      if (screens > 0 && !isMoving && box.querySelector('[data-testid="newer-button"]') === null) return result;
    }
    return result;
  }, by);
}

export interface PageMemory {
  /** Nodes in memory, including detached nodes that are still referenced. */
  nodes: number;
  heapBytes: number;
}

/** Measures after a garbage collection. */
export async function memoryOf(page: Page): Promise<PageMemory> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  // Objects freed by the first collection may have referenced more.
  for (let i = 0; i < 2; i++) await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  const metric = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  return { nodes: metric('Nodes'), heapBytes: metric('JSHeapUsedSize') };
}

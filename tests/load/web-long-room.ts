/**
 * Scrolls the web page from the end of a long room to its first message and back: how many rows the
 * document has, how far what is read moves, and whether the memory comes back.
 *
 *   node tests/load/web-long-room.ts [messages=20000]
 */
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchBrowser } from '../support/browser.ts';
import { startCluster } from '../support/cluster.ts';
import { importRoom } from '../support/import-room.ts';
import { enterPage, rowAt } from '../support/pages.ts';
import { memoryOf, type PageMemory, type Scrolled, scrollList } from '../support/scroll.ts';

const [, , messages = '20000'] = process.argv;
const COUNT = Number(messages);
const MINUTE_MS = 60_000;
const ROWS_MAX = 500;
const DRIFT_PX_MAX = 2;
const MEMORY_FACTOR_MAX = 1.2;
const SCREENS = 3;
const SETTLE_MS = 5_000;
/** Scrolls before the measurement: about 600 messages. */
const WARM_STEPS = 15;
const room = 'long-room';

const say = (line: string) => process.stdout.write(`${line}\n`);
const megabytes = ({ heapBytes, nodes }: PageMemory) => `${(heapBytes / 1e6).toFixed(1)} MB of heap, ${nodes} nodes`;

/** Messages of different heights by two people in turn. */
function messageAt(seq: number) {
  const id = Math.floor(seq / 3) % 2 === 0 ? 'ines' : 'bo';
  const text = `cup ${seq}${' and saucer'.repeat(seq % 19)}`;
  return { ts: Date.now() - (COUNT - seq + 60) * MINUTE_MS, from: { id, name: id }, text };
}

const browser = await launchBrowser();
if (typeof browser === 'string') throw new Error(browser);
const cluster = await startCluster({ archive: true });
const errors: string[] = [];
const problems: string[] = [];
try {
  say(`${availableParallelism()} × ${cpus()[0]?.model}, Chromium ${browser.version()}`);
  await importRoom(cluster, { room, messages: Array.from({ length: COUNT }, (_, index) => messageAt(index + 1)) });
  const options = { browser, endpoint: cluster.endpoint, name: 'Mina', locale: 'en-GB', errors };
  const page = await enterPage({ ...options, room });
  page.setDefaultTimeout(MINUTE_MS);
  await rowAt(page, String(COUNT)).waitFor();
  // Before and after, the page has the same number of rows, and has loaded all code that moves the
  // list.
  await scrollList(page, { screens: -SCREENS, steps: WARM_STEPS });
  await scrollList(page, { screens: SCREENS, steps: COUNT });
  await rowAt(page, String(COUNT)).waitFor();
  await sleep(SETTLE_MS);
  const before = await memoryOf(page);
  say(`at the end of ${COUNT} messages: ${megabytes(before)}`);

  const scroll = async (name: string, screens: number): Promise<Scrolled> => {
    const startedMs = Date.now();
    const scrolled = await scrollList(page, { screens, steps: COUNT });
    const { rowsMax, driftPxMax } = scrolled;
    const seconds = ((Date.now() - startedMs) / 1_000).toFixed(0);
    say(`${name}: at most ${rowsMax} rows, what is read moved by at most ${driftPxMax.toFixed(1)} px, ${seconds} s`);
    if (rowsMax > ROWS_MAX) problems.push(`${name}: more than ${ROWS_MAX} rows`);
    if (driftPxMax > DRIFT_PX_MAX) problems.push(`${name}: moved by more than ${DRIFT_PX_MAX} px`);
    return scrolled;
  };
  await scroll('up', -SCREENS);
  await rowAt(page, '1').waitFor();
  say(`at the first message: ${megabytes(await memoryOf(page))}`);
  await scroll('down', SCREENS);
  await rowAt(page, String(COUNT)).waitFor();
  await sleep(SETTLE_MS);
  const after = await memoryOf(page);
  const factor = after.heapBytes / before.heapBytes;
  say(`at the end again: ${megabytes(after)}, × ${factor.toFixed(2)} of the heap before`);
  if (factor > MEMORY_FACTOR_MAX) problems.push(`the heap has × ${factor.toFixed(2)} of its size before`);
} finally {
  await browser.close();
  await cluster.stop();
}
for (const problem of [...problems, ...errors]) say(`FAILED ${problem}`);
process.exitCode = problems.length + errors.length === 0 ? 0 : 1;

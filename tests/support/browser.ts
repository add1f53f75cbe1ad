/** Chromium, controlled over its debugging protocol. */
import { type Browser, chromium } from 'playwright-core';
import { findProgram } from '../../tools/bootstrap/find-program.mjs';
import { PROGRAMS } from '../../tools/bootstrap/programs.mjs';

/** A new browser, or the reason why none can be started. */
export async function launchBrowser(): Promise<Browser | string> {
  const { names, places } = PROGRAMS.chromium;
  const executablePath = findProgram(names, process.env, places);
  if (executablePath === null) return `no ${names.join(', ')} on this machine`;
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // Pages from a test's route count as public, and their servers as local.
      '--disable-features=LocalNetworkAccessChecks',
    ],
  });
}

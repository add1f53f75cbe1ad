/** The built web page in a browser, with a fake server that the test controls. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchBrowser } from './browser.ts';
import { repository } from './cluster.ts';

const dist = path.join(repository, 'apps/web/dist');

/** The Content-Security-Policy with which the edge serves the page. */
function edgePolicy(): string {
  const template = readFileSync(path.join(repository, 'deploy/nginx.conf'), 'utf8');
  const [, policy] = /^\s+1 "(default-src 'none'; script-src [^"]+)";$/m.exec(template) ?? [];
  if (policy === undefined) throw new Error('deploy/nginx.conf has no policy of the page');
  // Placeholders for addresses that an operator may add.
  return policy.replaceAll(/\{\{\w+\}\}/g, '');
}

export interface PageBrowser {
  /** Why the page cannot be tested, or false. */
  skip: string | false;
  /** A new browser context that serves the files of the page at the address of every server. */
  newContext(options?: Parameters<Browser['newContext']>[0]): Promise<BrowserContext>;
  close(): Promise<void>;
}

export async function launchPages(): Promise<PageBrowser> {
  const launched = await launchBrowser();
  const headers = { 'content-security-policy': edgePolicy() };
  return {
    skip: typeof launched === 'string' ? launched : existsSync(dist) ? false : 'the page is not built',
    async newContext(options) {
      const context = await (launched as Browser).newContext(options);
      // Files that a test gives have no address, and newer browsers ask before such a page opens a
      // WebSocket to this machine. Older ones do not know the permission.
      await context.grantPermissions(['local-network-access']).catch(() => {});
      await context.route(/^[^?]*$/, (route) => {
        const { pathname } = new URL(route.request().url());
        if (pathname.startsWith('/assets/')) return route.fulfill({ path: path.join(dist, pathname), headers });
        // Every other address of the page returns the same file, like nginx.
        const isPage = /^\/(r\/|rooms|$)/.test(pathname);
        return isPage ? route.fulfill({ path: path.join(dist, 'index.html'), headers }) : route.continue();
      });
      return context;
    },
    async close() {
      if (typeof launched !== 'string') await launched.close();
    },
  };
}

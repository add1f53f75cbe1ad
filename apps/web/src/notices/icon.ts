/** Shows the unread count on the icon of the tab and of an installed page. */
import type { Attention } from './attention.ts';

const COUNT_MAX = 9;

/** The logo with a number or a dot. It is a separate SVG image, in which no script runs. */
export function iconOf(logo: string, { count, hasOthers }: Attention): string {
  const end = logo.lastIndexOf('</svg>');
  const words = count > COUNT_MAX ? `${COUNT_MAX}+` : String(count);
  const mark =
    count > 0
      ? `<circle cx="21" cy="11" r="11" fill="#b3261e"/><text x="21" y="17" text-anchor="middle" fill="#fff" font-family="sans-serif" font-weight="700" font-size="${words.length > 1 ? 13 : 17}">${words}</text>`
      : hasOthers
        ? '<circle cx="24" cy="8" r="8" fill="#fdfbf7"/><circle cx="24" cy="8" r="6" fill="#b3261e"/>'
        : '';
  return `data:image/svg+xml,${encodeURIComponent(logo.slice(0, end) + mark + logo.slice(end))}`;
}

interface BadgeNavigator {
  setAppBadge?(count?: number): Promise<void>;
  clearAppBadge?(): Promise<void>;
}

export function showIcon(logo: string, plainUrl: string, attention: Attention): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const isPlain = attention.count === 0 && !attention.hasOthers;
  const href = isPlain ? plainUrl : iconOf(logo, attention);
  if (link !== null && link.href !== href) link.href = href;
  const badge = navigator as BadgeNavigator;
  // Without a number, an installed page shows a dot. Browsers reject the call if the page is not
  // installed.
  const shown = isPlain ? badge.clearAppBadge?.() : badge.setAppBadge?.(attention.count || undefined);
  shown?.catch(() => {});
}

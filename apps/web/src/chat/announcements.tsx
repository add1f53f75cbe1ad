import { useWords } from '../i18n/index.ts';
import type { Announcement } from '../model/announcer.ts';

/**
 * Announces new messages to screen readers. The list itself is not a live region, because older
 * pages are added at its top.
 */
export function Announcements({ announcements }: { announcements: readonly Announcement[] }) {
  const { t } = useWords();
  return (
    <div class="sr-only" aria-live="polite" data-testid="announcements">
      {announcements.map(({ id, messages, moreCount }) => (
        <div key={id}>
          {messages.map(({ seq, name, text }) => (
            <p key={seq}>{t.saidBy(name, text)}</p>
          ))}
          {moreCount > 0 && <p>{t.moreMessages(moreCount)}</p>}
        </div>
      ))}
    </div>
  );
}

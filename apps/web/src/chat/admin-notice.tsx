/** An announcement of an administrator to all users, on every page until the reader closes it. */
import type { ChatClient } from '@maru/client';
import { useEffect, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';

export function AdminNotice({ client }: { client: Pick<ChatClient, 'on'> }) {
  const { t } = useWords();
  const [text, setText] = useState<string | null>(null);
  useEffect(
    () =>
      client.on('notice', (notice) => {
        if (notice.code === 'announcement' && notice.text !== undefined) setText(notice.text);
      }),
    [client],
  );
  const close = () => {
    setText(null);
    document.getElementById('message-input')?.focus();
  };
  return (
    <div role="status" class="banner-region">
      {text !== null && (
        <div class="banner" data-testid="admin-notice">
          <span>
            {t.adminSays} <bdi>{text}</bdi>
          </span>
          <button type="button" class="link-button" onClick={close}>
            {t.closePanel}
          </button>
        </div>
      )}
    </div>
  );
}

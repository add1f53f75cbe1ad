/** Sends one text to all connected users. */
import { LIMITS } from '@maru/protocol/limits';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { useAsk } from './confirm.tsx';

export function AnnounceView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const ask = useAsk();
  const [text, setText] = useState('');
  const [isSent, setSent] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    setSent(false);
    ask({
      title: words.announceTitle,
      detail: words.announceDetail(text.trim()),
      act: words.announceAct,
      run: () => api.announce(text.trim()),
      onDone: () => {
        setText('');
        setSent(true);
      },
    });
  };
  return (
    <form class="announce" onSubmit={submit}>
      <label class="console-field">
        <span>{words.announceLabel}</span>
        <input
          autoComplete="off"
          data-testid="announce-text"
          maxLength={LIMITS.announcementCharsMax}
          dir="auto"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="hint">{words.announceHint}</span>
      </label>
      <button type="submit" class="primary-button" data-testid="announce" disabled={text.trim() === ''}>
        {words.announceAct}
      </button>
      <p role="status">{isSent && words.announced}</p>
    </form>
  );
}

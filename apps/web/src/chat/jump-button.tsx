/** Jumps to the unread line if it was not on the screen yet. After that, it jumps to the end. */
import type { ConversationView } from '@maru/client/conversation';
import { useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { DownIcon, UpIcon } from '../icons.tsx';
import type { ListScroll } from './list-scroll.ts';

export interface JumpButtonProps {
  list: ConversationView;
  scroll: ListScroll;
  onLine: () => void;
  onNewest: () => void;
}

export function JumpButton({ list, scroll, onLine, onNewest }: JumpButtonProps) {
  const { t } = useWords();
  const { isHidden, isAtEnd, line, below } = useWatched(scroll);
  const isNewest = isAtEnd && !list.hasNewer && !list.jump.isLoading;
  if (isHidden || (isNewest && line === null)) return null;
  const count = line === 'above' ? list.sinceLine : Math.min(list.unread, below);
  return (
    <button
      type="button"
      class="jump"
      data-testid="jump-button"
      data-to={line === null ? 'end' : 'line'}
      onClick={line === null ? onNewest : onLine}
    >
      {line === 'above' ? <UpIcon /> : <DownIcon />}
      {count > 0 ? t.newCount(count) : t.jumpToLatest}
    </button>
  );
}

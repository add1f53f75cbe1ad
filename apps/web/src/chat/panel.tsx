/** A panel next to the conversation: inline on wide screens, a dialog on narrow ones. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useModal } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { CloseIcon } from '../icons.tsx';

export interface PanelProps {
  side: 'start' | 'end';
  title: string;
  isInline: boolean;
  isOpen: boolean;
  /** Wider, for a panel that shows messages instead of names. */
  isWide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

export function Panel({ side, title, isInline, isOpen, isWide = false, onClose, children }: PanelProps) {
  if (isInline) {
    return (
      <aside
        class={`panel panel-${side}${isWide ? ' panel-wide' : ''}`}
        aria-label={title}
        data-region={side === 'start' ? 'rooms' : isWide ? 'pane' : 'people'}
        tabIndex={-1}
      >
        {children}
      </aside>
    );
  }
  if (!isOpen) return null;
  return (
    <Drawer side={side} title={title} isWide={isWide} onClose={onClose}>
      {children}
    </Drawer>
  );
}

/** The browser's modal dialog: it traps the focus, closes on Escape, and restores the focus. */
function Drawer({ side, title, isWide = false, onClose, children }: Omit<PanelProps, 'isInline' | 'isOpen'>) {
  const { t } = useWords();
  const ref = useRef<HTMLDialogElement>(null);
  useModal(ref);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click outside the drawer closes it; keyboard users have Escape and the button
    <dialog
      ref={ref}
      class={`panel drawer panel-${side}${isWide ? ' panel-wide' : ''}`}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div class="drawer-body">
        <IconButton class="drawer-close" label={t.closePanel} onClick={onClose}>
          <CloseIcon />
        </IconButton>
        {children}
      </div>
    </dialog>
  );
}

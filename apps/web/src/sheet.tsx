/** The frame of a modal dialog: a title, a close button, and the content. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useModal } from './hooks.ts';
import { CloseIcon } from './icons.tsx';
import './moderation/moderation.css';
import { IconButton } from './icon-button.tsx';

export interface SheetProps {
  /** Prefix of element ids: one page can have several sheets. */
  id: string;
  title: string;
  closeLabel: string;
  onClose: () => void;
  /**
   * The content has only text and no controls, so the frame itself must be focusable to scroll by
   * keyboard.
   */
  isText?: boolean;
  children: ComponentChildren;
}

/** A modal dialog: the browser traps the focus, closes it on Escape, and restores the focus. */
export function Sheet({ id, title, closeLabel, onClose, isText = false, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useModal(dialog);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click outside closes the dialog; keyboard users have Escape and the button
    <dialog
      ref={dialog}
      class="sheet"
      data-testid={id}
      aria-labelledby={`${id}-title`}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="sheet-frame">
        <header class="sheet-head">
          <h2 id={`${id}-title`} tabIndex={-1} autofocus>
            {title}
          </h2>
          <IconButton label={closeLabel} onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </header>
        <div class="sheet-body" tabIndex={isText ? 0 : undefined}>
          {children}
        </div>
      </div>
    </dialog>
  );
}

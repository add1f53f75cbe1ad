/** The frame of a modal dialog: a title, a button that closes it, and what it holds. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useModal } from './hooks.ts';
import { CloseIcon } from './icons.tsx';
import './moderation/moderation.css';

export interface SheetProps {
  /** Distinguishes the sheets of the page. */
  id: string;
  title: string;
  closeLabel: string;
  onClose: () => void;
  /** It holds nothing but text, so the keyboard scrolls the frame itself. */
  isText?: boolean;
  children: ComponentChildren;
}

/** The browser traps the focus in it, closes it on Escape, and restores the focus. */
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
          <button type="button" class="icon-button" aria-label={closeLabel} title={closeLabel} onClick={onClose}>
            <CloseIcon />
          </button>
        </header>
        <div class="sheet-body" tabIndex={isText ? 0 : undefined}>
          {children}
        </div>
      </div>
    </dialog>
  );
}

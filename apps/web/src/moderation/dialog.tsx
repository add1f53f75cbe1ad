/** The moderation dialog: room settings, acts on a person or a message, pins, and new rooms. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { AboutView } from '../conversation/about-view.tsx';
import { useModal } from '../hooks.ts';
import type { Sections } from '../i18n/catalogue.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { CloseIcon } from '../icons.tsx';
import { nameOf } from '../model/names.ts';
import { CreateView } from './create-view.tsx';
import { EraseView, ReportView } from './message-views.tsx';
import './moderation.css';
import { IconButton } from '../icon-button.tsx';
import { PersonView } from './person-view.tsx';
import { RoomView } from './room-view.tsx';
import type { ModerationDialogProps } from './target.ts';

export function ModerationDialog(props: ModerationDialogProps) {
  const { t } = useWords();
  const words = useSection('moderation');
  const conversationWords = useSection('conversation');
  const { target, details, store, onClose } = props;
  const inRoom = details === null || store === null ? null : { ...props, details, store };
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useModal(dialog);
  const about = target.view === 'person' ? target.user.id : target.view;
  // A new view puts the focus on its title.
  useLayoutEffect(() => heading.current?.focus(), [about]);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click outside closes the dialog; keyboard users have Escape and the button
    <dialog
      ref={dialog}
      class="sheet"
      data-testid="moderation-dialog"
      aria-labelledby="sheet-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="sheet-frame">
        <header class="sheet-head">
          <h2 id="sheet-title" ref={heading} tabIndex={-1}>
            {titleOf(props, words, conversationWords, t.roomMenu)}
          </h2>
          <IconButton label={words.close} onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </header>
        <div class="sheet-body">
          {target.view === 'create' && <CreateView {...props} />}
          {target.view === 'room' && inRoom !== null && <RoomView {...inRoom} section={target.section ?? null} />}
          {target.view === 'about' && inRoom !== null && <AboutView {...inRoom} />}
          {target.view === 'person' && inRoom !== null && <PersonView key={about} {...inRoom} user={target.user} />}
          {target.view === 'report' && inRoom !== null && <ReportView {...inRoom} message={target.message} />}
          {target.view === 'erase' && inRoom !== null && <EraseView {...inRoom} message={target.message} />}
        </div>
      </div>
    </dialog>
  );
}

function titleOf(
  { target, names }: ModerationDialogProps,
  words: Sections['moderation'],
  { aboutTitle }: Sections['conversation'],
  roomMenu: string,
): string {
  switch (target.view) {
    case 'create':
      return words.createTitle;
    case 'room':
      return roomMenu;
    case 'about':
      return aboutTitle;
    case 'report':
      return words.reportTitle(target.message.from.name);
    case 'erase':
      return words.eraseTitle(target.message.from.name);
    case 'person':
      return words.personTitle(target.user.name || nameOf(names, target.user.id));
  }
}

/** The dialog of acts: settings of a room, acts on a person or a message, pins, and a new room. */
import { useEffect, useRef } from 'preact/hooks';
import { AboutView } from '../conversation/about-view.tsx';
import { useConversationWords } from '../conversation/use-conversation-words.ts';
import type { ConversationWords } from '../conversation/words/en.ts';
import { useWords } from '../i18n/index.ts';
import { CloseIcon } from '../icons.tsx';
import { nameOf } from '../model/names.ts';
import { CreateView } from './create-view.tsx';
import './moderation.css';
import { PersonView } from './person-view.tsx';
import { RoomView } from './room-view.tsx';
import type { ModerationDialogProps } from './target.ts';
import { ModerationWordsContext } from './use-act.ts';
import { en, type ModerationWords } from './words/en.ts';
import { ko } from './words/ko.ts';

const WORDS: Record<'en' | 'ko', ModerationWords> = { en, ko };

export function ModerationDialog(props: ModerationDialogProps) {
  const { language, t } = useWords();
  const words = WORDS[language];
  const conversationWords = useConversationWords();
  const { target, details, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const opened = dialog.current;
    const returnTo = document.activeElement;
    opened?.showModal();
    return () => {
      opened?.close();
      if (returnTo instanceof HTMLElement) returnTo.focus();
    };
  }, []);
  const about = target.view === 'person' ? target.user.id : target.view;
  // A new view begins at its title.
  useEffect(() => heading.current?.focus(), [about]);

  return (
    <ModerationWordsContext.Provider value={words}>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a click outside closes the dialog; keyboard users have Escape and the button */}
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
            <button type="button" class="icon-button" aria-label={words.close} title={words.close} onClick={onClose}>
              <CloseIcon />
            </button>
          </header>
          <div class="sheet-body">
            {target.view === 'create' && <CreateView {...props} />}
            {target.view === 'room' && details !== null && <RoomView {...props} details={details} />}
            {target.view === 'about' && details !== null && <AboutView {...props} details={details} />}
            {target.view === 'person' && details !== null && (
              <PersonView key={about} {...props} details={details} user={target.user} message={target.message} />
            )}
          </div>
        </div>
      </dialog>
    </ModerationWordsContext.Provider>
  );
}

function titleOf(
  { target, names }: ModerationDialogProps,
  words: ModerationWords,
  { aboutTitle, messageTitle }: ConversationWords,
  roomMenu: string,
): string {
  if (target.view === 'create') return words.createTitle;
  if (target.view === 'room') return roomMenu;
  if (target.view === 'about') return aboutTitle;
  const name = target.user.name || nameOf(names, target.user.id);
  return target.message === null ? words.personTitle(name) : messageTitle(name);
}

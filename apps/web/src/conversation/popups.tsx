import { MessageMenu } from './message-menu.tsx';
import { PersonCard } from './person-card.tsx';
import type { MessagePopup, Popup } from './popup.ts';
import type { PopupProps } from './popup-props.ts';
import './popups.css';
import { Reactors } from './reactors.tsx';

export function PopupView({ popup, ...props }: PopupProps<Exclude<Popup, MessagePopup<'emoji'>>>) {
  switch (popup.kind) {
    case 'menu':
      return <MessageMenu {...props} popup={popup} />;
    case 'reactors':
      return <Reactors {...props} popup={popup} />;
    case 'person':
      return <PersonCard {...props} popup={popup} />;
  }
}

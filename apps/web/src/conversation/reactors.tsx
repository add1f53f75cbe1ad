/** The users who reacted to a message. The server names the first ten for each emoji. */
import { useSection } from '../i18n/index.ts';
import { nameOf } from '../model/names.ts';
import { Anchored } from './anchored.tsx';
import './popups.css';
import type { MessagePopup } from './popup.ts';
import type { PopupProps } from './popup-props.ts';

export function Reactors({ popup, store, names, onClose }: PopupProps<MessagePopup<'reactors'>>) {
  const words = useSection('conversation');
  const { reactions } = store.conversation.message(popup.message.seq) ?? popup.message;
  return (
    <Anchored at={popup.at} label={words.reactors} testId="reactors" onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard */}
      <div class="card" tabIndex={0}>
        <h2 class="card-title">{words.reactors}</h2>
        <ul class="reactors">
          {reactions.map(({ emoji, count, users }) => (
            <li key={emoji} data-testid="reactor" data-emoji={emoji}>
              <span class="reactor-emoji">{emoji}</span>
              <span>
                {users.map((id, index) => (
                  <span key={id}>
                    {index > 0 && ', '}
                    <bdi>{nameOf(names, id)}</bdi>
                  </span>
                ))}
                {count > users.length && ` ${words.others(count - users.length)}`}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Anchored>
  );
}

import type { EndReason } from '@maru/client';
import { useMemo } from 'preact/hooks';
import type { Session } from '../session/device.ts';
import { KeptContext } from '../session/kept.ts';
import type { Router } from '../session/router.ts';
import { TextContext } from '../text/message-text.tsx';
import { Shell } from './shell.tsx';
import { useClient } from './use-client.ts';
import '../styles/shell.css';
import '../styles/drawer.css';
import '../styles/messages.css';
import '../styles/jump.css';
import '../styles/composer.css';
import '../styles/extras.css';
import '../styles/density.css';
import '../styles/status.css';
import '../styles/skip-links.css';

export interface ChatScreenProps {
  session: Session;
  router: Router;
  /** A room whose name the user typed. Entering it creates the room if it does not exist. */
  mayCreate: string | null;
  onLeave: () => void;
  onEnded: (reason: EndReason) => void;
}

export function ChatScreen({ onEnded, ...props }: ChatScreenProps) {
  const handle = useClient(props.session, onEnded);
  const { router } = props;
  const links = useMemo(() => ({ onOpen: router.go }), [router]);
  if (handle === null) return null;
  const { keptIn, ...shell } = handle;
  return (
    <TextContext.Provider value={links}>
      <KeptContext.Provider value={keptIn}>
        <Shell {...shell} {...props} />
      </KeptContext.Provider>
    </TextContext.Provider>
  );
}

/**
 * The page: sign-in or chat. It holds the session, the route, and the catalogue of the language.
 */
import type { EndReason } from '@maru/client';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { forgetProvider } from './account/marker.ts';
import type { Start } from './account/start.ts';
import { useWatched } from './hooks.ts';
import { wordsOfEnd, wordsOfStart } from './i18n/errors.ts';
import { loadWords, useWords, type Words, WordsContext } from './i18n/index.ts';
import { useChosenWords } from './i18n/use-chosen-words.ts';
import { type Lazy, loadStyled, useLazy } from './lazy.ts';
import { LoadFailed } from './load-failed.tsx';
import { DEFAULT_ROOM, type Route } from './model/route.ts';
import { endSession, forgetSession, loadSession, type Session, saveSession, watchSignOut } from './session/device.ts';
import { createRouter } from './session/router.ts';
import { applyAppearance } from './session/theme.ts';
import type { PreferenceStore } from './settings/preferences.ts';
import { SettingsHost } from './settings/settings-host.tsx';
import { PreferencesContext } from './settings/use-preferences.ts';
import { SignIn } from './sign-in.tsx';

const roomIn = (route: Route): string | null => (route.view === 'room' ? route.room : null);
const seqIn = (route: Route, room: string): number | null =>
  route.view === 'room' && route.room === room ? route.seq : null;

const importChat = () => import('./chat/chat-screen.tsx').then(({ ChatScreen }) => ChatScreen);
const loadChat = () => loadStyled(importChat);

/** A session that stays on the device ends in all tabs of its user at once. */
function useSignOutElsewhere(session: Session | null, onSignedOut: () => void): void {
  useEffect(() => {
    if (session?.stays !== true) return;
    return watchSignOut(session, () => {
      // It is loaded with the chat already.
      void import('./session/kept.ts').then(({ forgetKept }) => forgetKept(session.user.id));
      onSignedOut();
    });
  });
}

/** In place of the chat. */
function Waiting({ chat }: { chat: Lazy<unknown> }) {
  const { t } = useWords();
  const [hasTried, setTried] = useState(false);
  if (chat.kind === 'failed') {
    const retry = () => {
      // Some browsers remember the failure, and a newer version of the page has other files.
      if (hasTried && navigator.onLine) location.reload();
      setTried(true);
      chat.retry();
    };
    return <LoadFailed class="page-note" retry={retry} />;
  }
  return (
    <p class="page-note" role="status">
      {t.joining}
    </p>
  );
}

export interface AppProps {
  firstWords: Words;
  preferences: PreferenceStore;
  /** Set if the page came back from a provider or asked it silently. */
  started: Start | null;
}

export function App({ firstWords, preferences, started }: AppProps) {
  const { language: choice, theme, density } = useWatched(preferences);
  const words = useChosenWords(firstWords, choice, loadWords);
  const { language } = words;
  const [session, setSession] = useState<Session | null>(() => started?.session ?? loadSession());
  const router = useMemo(() => createRouter(window), []);
  const [hasEntered, setHasEntered] = useState(() => session !== null && router.get().view !== 'start');
  /** A room whose name the user typed. Entering it creates the room if it does not exist. */
  const [mayCreate, setMayCreate] = useState(started?.typedRoom ?? null);
  // Rooms load while a new user fills in the form.
  const [isWriting, setWriting] = useState(false);
  const chat = useLazy(loadChat, session !== null || isWriting, true);
  const [endReason, setEndReason] = useState<EndReason | null>(null);
  const [problem, setProblem] = useState(started?.problem ?? null);

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  useEffect(() => applyAppearance({ theme, density }), [theme, density]);

  const enter = (entered: Session, room: string, isTyped: boolean) => {
    saveSession(entered);
    setSession(entered);
    setEndReason(null);
    setProblem(null);
    setMayCreate(isTyped ? room : null);
    setHasEntered(true);
    const route = router.get();
    if (isTyped || route.view === 'start') router.replace({ view: 'room', room, seq: seqIn(route, room) });
  };
  const forget = () => {
    if (session !== null) endSession(session);
    session?.leave?.();
    if (preferences.get().status !== null) preferences.set({ status: null });
    setSession(null);
  };
  const onEnded = useCallback(
    (reason: EndReason) => {
      forgetProvider();
      if (session !== null) forgetSession(session);
      setSession(null);
      setHasEntered(false);
      setEndReason(reason);
    },
    [session],
  );
  useSignOutElsewhere(session, () => {
    setSession(null);
    setHasEntered(false);
  });

  return (
    <WordsContext.Provider value={words}>
      <PreferencesContext.Provider value={preferences}>
        <SettingsHost>
          {session !== null && hasEntered && chat.kind === 'ready' ? (
            <chat.part {...{ session, router, mayCreate, onEnded }} onLeave={() => setHasEntered(false)} />
          ) : session !== null && hasEntered ? (
            <Waiting chat={chat} />
          ) : (
            <SignIn
              session={session}
              room={roomIn(router.get()) ?? DEFAULT_ROOM}
              problem={endReason === null ? wordsOfStart(words.t, problem) : wordsOfEnd(words.t, endReason)}
              onWrite={() => setWriting(true)}
              onEnter={enter}
              onForget={forget}
            />
          )}
        </SettingsHost>
      </PreferencesContext.Provider>
    </WordsContext.Provider>
  );
}

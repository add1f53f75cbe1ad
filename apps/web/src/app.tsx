/**
 * The page: sign-in or chat. Holds the session, the room in the address, and the two preferences.
 */
import type { EndReason } from '@maru/client';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { wordsOfEnd } from './i18n/errors.ts';
import { loadCatalogue, otherLanguage, type Words, WordsContext } from './i18n/index.ts';
import { useLazy } from './lazy.ts';
import { DEFAULT_ROOM, hashOfRoom, roomOfHash } from './model/route.ts';
import type { Session } from './session/api.ts';
import { forgetSession, loadSession, savePreference, saveSession } from './session/device.ts';
import { chooseTheme, chosenTheme, systemTheme, type Theme } from './session/theme.ts';
import { SignIn } from './sign-in.tsx';
import { PreferencesContext } from './switches.tsx';

function useRoomInAddress(): [string | null, (room: string | null) => void] {
  const [room, setRoom] = useState(() => roomOfHash(location.hash));
  useEffect(() => {
    const read = () => setRoom(roomOfHash(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  const go = useCallback((next: string | null) => {
    location.hash = next === null ? '' : hashOfRoom(next);
    setRoom(next);
  }, []);
  return [room, go];
}

const loadChat = () => import('./chat/chat-screen.tsx').then(({ ChatScreen }) => ChatScreen);

export function App({ firstWords }: { firstWords: Words }) {
  const [words, setWords] = useState(firstWords);
  const { language } = words;
  const [theme, setTheme] = useState<Theme>(() => chosenTheme() ?? systemTheme());
  const [session, setSession] = useState<Session | null>(loadSession);
  const [hasEntered, setHasEntered] = useState(() => loadSession() !== null && roomOfHash(location.hash) !== null);
  // The rooms load while a new user fills in the form.
  const [isWriting, setWriting] = useState(false);
  const chat = useLazy(loadChat, session !== null || isWriting);
  const [endReason, setEndReason] = useState<EndReason | null>(null);
  const [room, goToRoom] = useRoomInAddress();

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  useEffect(() => {
    // Follows the system until the reader chooses a theme.
    const query = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(chosenTheme() ?? systemTheme());
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);

  const preferences = useMemo(
    () => ({
      theme,
      switchLanguage: () => {
        const next = otherLanguage(language);
        loadCatalogue(next).then(
          (t) => {
            savePreference('language', next);
            setWords({ language: next, t });
          },
          // Without a connection the page keeps its language.
          (error: unknown) => console.warn('the language could not be loaded', error),
        );
      },
      switchTheme: () => {
        const next = theme === 'dark' ? 'light' : 'dark';
        chooseTheme(next);
        setTheme(next);
      },
    }),
    [language, theme],
  );

  const enter = (entered: Session, into: string) => {
    saveSession(entered);
    setSession(entered);
    setEndReason(null);
    setHasEntered(true);
    goToRoom(into);
  };
  const forget = () => {
    forgetSession();
    setSession(null);
  };
  const onEnded = useCallback((reason: EndReason) => {
    forgetSession();
    setSession(null);
    setHasEntered(false);
    setEndReason(reason);
  }, []);

  return (
    <WordsContext.Provider value={words}>
      <PreferencesContext.Provider value={preferences}>
        {session !== null && hasEntered && chat.kind === 'ready' ? (
          <chat.part
            session={session}
            room={room ?? DEFAULT_ROOM}
            onGoToRoom={goToRoom}
            onLeave={() => setHasEntered(false)}
            onEnded={onEnded}
          />
        ) : session !== null && hasEntered ? (
          <p class="page-note" role="status">
            {chat.kind === 'failed' ? words.t.dialogFailed : words.t.joining}
          </p>
        ) : (
          <SignIn
            session={session}
            room={room ?? DEFAULT_ROOM}
            problem={endReason === null ? null : wordsOfEnd(words.t, endReason)}
            onWrite={() => setWriting(true)}
            onEnter={enter}
            onForget={forget}
          />
        )}
      </PreferencesContext.Provider>
    </WordsContext.Provider>
  );
}

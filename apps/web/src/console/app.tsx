/**
 * The console: asks for an administrator token, then shows one view at a time. The address selects
 * the view.
 */
import { useEffect, useMemo, useState } from 'preact/hooks';
import logo from '../assets/logo.svg';
import { useWatched } from '../hooks.ts';
import { addSections, loadWords, useSection, type Words, WordsContext } from '../i18n/index.ts';
import { useChosenWords } from '../i18n/use-chosen-words.ts';
import { applyAppearance } from '../session/theme.ts';
import type { PreferenceStore } from '../settings/preferences.ts';
import { PreferencesContext } from '../settings/use-preferences.ts';
import { type AdminApi, createAdminApi } from './admin-api.ts';
import { AnnounceView } from './announce-view.tsx';
import { AuditView } from './audit-view.tsx';
import { AskContext, Confirm, type Question } from './confirm.tsx';
import { NodesView } from './nodes-view.tsx';
import { ReportsView } from './reports-view.tsx';
import { RoomsView } from './rooms-view.tsx';
import { SettingsView } from './settings-view.tsx';
import { ConsoleSwitches } from './switches.tsx';
import { TokenForm } from './token-form.tsx';
import { UsersView } from './users-view.tsx';

const VIEWS = {
  nodes: NodesView,
  rooms: RoomsView,
  users: UsersView,
  reports: ReportsView,
  audit: AuditView,
  announce: AnnounceView,
  settings: SettingsView,
};
type ViewName = keyof typeof VIEWS;
const NAMES = Object.keys(VIEWS) as ViewName[];

const viewOf = (hash: string): ViewName => NAMES.find((name) => hash === `#${name}`) ?? 'nodes';

export interface ConsoleProps {
  firstWords: Words;
  preferences: PreferenceStore;
  /** The token of the web client in this tab. */
  token: string | null;
}

export function Console({ firstWords, preferences, token: firstToken }: ConsoleProps) {
  const [offered, setOffered] = useState(firstToken);
  const words = useChosenWords(firstWords, useWatched(preferences).language, loadConsoleWords);
  const [token, setToken] = useState<string | null>(null);
  const leave = () => {
    setOffered(null);
    setToken(null);
  };
  const api = useMemo(() => (token === null ? null : createAdminApi(token)), [token]);
  useEffect(() => {
    document.documentElement.lang = words.language;
  }, [words.language]);
  useEffect(() => preferences.subscribe(() => applyAppearance(preferences.get())), [preferences]);
  return (
    <WordsContext.Provider value={words}>
      <PreferencesContext.Provider value={preferences}>
        {api === null ? <TokenForm offered={offered} onToken={setToken} /> : <Views api={api} onLeave={leave} />}
      </PreferencesContext.Provider>
    </WordsContext.Provider>
  );
}

export async function loadConsoleWords(language: Words['language']): Promise<Words> {
  const words = await loadWords(language);
  await addSections(words, ['console']);
  return words;
}

function Views({ api, onLeave }: { api: AdminApi; onLeave: () => void }) {
  const words = useSection('console');
  const [view, setView] = useState(() => viewOf(location.hash));
  const [question, setQuestion] = useState<Question | null>(null);
  useEffect(() => {
    const read = () => setView(viewOf(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  useEffect(() => {
    document.title = `${words.views[view]} · ${words.title}`;
  }, [view, words]);
  const View = VIEWS[view];
  return (
    <AskContext.Provider value={setQuestion}>
      <div class="console">
        <header class="console-head">
          <p class="console-brand">
            <img src={logo} alt="" width="28" height="28" /> {words.title}
          </p>
          <nav aria-label={words.title}>
            <ul>
              {NAMES.map((name) => (
                <li key={name}>
                  <a href={`#${name}`} aria-current={name === view ? 'page' : undefined} data-testid={`view-${name}`}>
                    {words.views[name]}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <ConsoleSwitches onLeave={onLeave} />
        </header>
        <main id="console-main" tabIndex={-1} class="console-main">
          <h1>{words.views[view]}</h1>
          <View key={view} api={api} />
        </main>
        {question !== null && (
          <Confirm question={question} onClose={() => setQuestion((now) => (now === question ? null : now))} />
        )}
      </div>
    </AskContext.Provider>
  );
}

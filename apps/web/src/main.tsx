import { render } from 'preact';
import { start } from './account/start.ts';
import { App } from './app.tsx';
import { loadWords } from './i18n/index.ts';
import { chooseLanguage, LANGUAGE_CODES } from './i18n/languages.ts';
import { noteFailedStyle } from './lazy.ts';
import { deviceStorage, loadSession } from './session/device.ts';
import { applyAppearance } from './session/theme.ts';
import { createPreferences } from './settings/preferences.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/sign-in.css';
import './styles/touch.css';
import './styles/modes.css';

addEventListener('error', noteFailedStyle, true);

const preferences = createPreferences({ languages: LANGUAGE_CODES, storage: deviceStorage(), target: window });
// Before the first paint. Otherwise the dark theme would flash white.
applyAppearance(preferences.get());

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');

const language = chooseLanguage(navigator.languages, preferences.get().language);
// No top-level `await`: chunks that load later import this module and would wait for it.
void loadWords(language).then(async (words) => {
  const pending = start(new URL(location.href), loadSession() !== null);
  if (pending !== null)
    render(
      <p class="page-note" role="status">
        {words.t.entering}
      </p>,
      root,
    );
  const started = await pending;
  if (started !== null) history.replaceState(null, '', started.path);
  render(<App firstWords={words} preferences={preferences} started={started} />, root);
});

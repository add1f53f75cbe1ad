import { render } from 'preact';
import { chooseLanguage, LANGUAGE_CODES } from '../i18n/languages.ts';
import { deviceStorage, loadSession } from '../session/device.ts';
import { applyAppearance } from '../session/theme.ts';
import { createPreferences } from '../settings/preferences.ts';
import { Console, loadConsoleWords } from './app.tsx';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/sign-in.css';
import './console.css';

const preferences = createPreferences({ languages: LANGUAGE_CODES, storage: deviceStorage(), target: window });
// Before the first paint. Otherwise the dark theme would flash white.
applyAppearance(preferences.get());

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');

const language = chooseLanguage(navigator.languages, preferences.get().language);
const token = loadSession()?.token ?? null;
void loadConsoleWords(language).then((words) =>
  render(<Console firstWords={words} {...{ preferences, token }} />, root),
);

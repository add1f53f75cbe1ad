import { render } from 'preact';
import { App } from './app.tsx';
import { chooseLanguage, loadCatalogue } from './i18n/index.ts';
import { loadPreference } from './session/device.ts';
import { applyTheme, chosenTheme } from './session/theme.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/sign-in.css';

// Before the first paint, so that the dark theme does not flash white.
applyTheme(chosenTheme());

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');

const language = chooseLanguage(navigator.languages, loadPreference('language'));
// Not by `await`: chunks that load later import this module, and would wait for it.
void loadCatalogue(language).then((t) => render(<App firstWords={{ language, t }} />, root));

import { render } from 'preact';
import { App } from './app.tsx';
import { applyTheme, chosenTheme } from './session/theme.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/sign-in.css';
import './styles/shell.css';
import './styles/drawer.css';
import './styles/messages.css';
import './styles/composer.css';

// Before the first paint, so that the dark theme does not flash white.
applyTheme(chosenTheme());

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');
render(<App />, root);

/** Asks for an administrator token and keeps it in memory only. */
import { MaruError } from '@maru/protocol/errors';
import { useEffect, useState } from 'preact/hooks';
import logo from '../assets/logo.svg';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { createAdminApi } from './admin-api.ts';
import { ConsoleSwitches } from './switches.tsx';

const COMMAND = 'npm run cluster -- token --sub ID --name NAME --role admin';

/** `offered`: the token of the web client in this tab, which may belong to an administrator. */
export function TokenForm({ offered, onToken }: { offered: string | null; onToken: (token: string) => void }) {
  const { t } = useWords();
  const words = useSection('console');
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (offered === null) return;
    createAdminApi(offered)
      .nodes()
      .then(
        () => onToken(offered),
        () => {},
      );
  }, [offered, onToken]);
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await createAdminApi(token.trim()).nodes();
      onToken(token.trim());
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      setProblem(error.code === 'forbidden' ? words.notAdmin : wordsOfError(t, error.code));
    }
  };
  return (
    <div class="sign-in">
      <header class="sign-in-top">
        <ConsoleSwitches onLeave={null} />
      </header>
      <main class="sign-in-main" id="console-main" tabIndex={-1}>
        <form class="card" onSubmit={(event) => void submit(event)}>
          <div class="brand">
            <img src={logo} alt="" width="44" height="44" />
            <h1>{words.title}</h1>
          </div>
          {problem !== null && (
            <p class="alert" role="alert" data-testid="token-problem">
              {problem}
            </p>
          )}
          <div class="field">
            <label for="token-input">{words.token}</label>
            <input
              id="token-input"
              data-testid="token-input"
              type="password"
              autoComplete="off"
              spellcheck={false}
              aria-describedby="token-hint"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
            <p class="hint" id="token-hint">
              {words.tokenHint} <code>{COMMAND}</code>
            </p>
          </div>
          <button type="submit" class="primary-button" data-testid="token-enter" disabled={token.trim() === ''}>
            {words.enter}
          </button>
        </form>
      </main>
    </div>
  );
}

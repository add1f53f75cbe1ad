/** Asks for confirmation before a dangerous act. The dialog states what the act will do. */
import { MaruError } from '@maru/protocol/errors';
import { LIMITS } from '@maru/protocol/limits';
import { createContext } from 'preact';
import { useContext, useRef, useState } from 'preact/hooks';
import { useModal } from '../hooks.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';

export interface Question {
  title: string;
  /** What the act will do, in whole sentences. */
  detail: string;
  /** The label of the button. */
  act: string;
  takesReason?: boolean;
  run: (reason: string) => Promise<unknown>;
  onDone: () => void;
}

export const AskContext = createContext<(question: Question) => void>(() => {});
export const useAsk = () => useContext(AskContext);

export function Confirm({ question, onClose }: { question: Question; onClose: () => void }) {
  const { t } = useWords();
  const words = useSection('console');
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useModal(dialog, 'console-main');
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await question.run(reason);
      question.onDone();
      onClose();
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      setProblem(wordsOfError(t, error.code));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" data-testid="confirm-dialog" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="confirm-title">{question.title}</h2>
        <p>{question.detail}</p>
        {question.takesReason && (
          <label class="console-field">
            <span>{words.reason}</span>
            <input
              data-testid="confirm-reason"
              maxLength={LIMITS.reasonCharsMax}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
        )}
        {problem !== null && (
          <p class="alert" role="alert">
            {problem}
          </p>
        )}
        <div class="confirm-buttons">
          <button type="button" class="quiet-button" onClick={() => dialog.current?.close()}>
            {words.cancel}
          </button>
          <button type="submit" class="danger-button" data-testid="confirm-act" disabled={isBusy}>
            {question.act}
          </button>
        </div>
      </form>
    </dialog>
  );
}

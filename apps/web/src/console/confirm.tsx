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
  /** The target has changed or is gone: reloads the list that it is from. */
  onChanged?: () => void;
  /** Texts for refusals that mean something else here. */
  problems?: { conflict?: string; not_found?: string };
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
      setProblem(textOf(error));
      setBusy(false);
      if (error.code === 'conflict' || error.code === 'not_found') question.onChanged?.();
    }
  };
  const textOf = ({ code }: MaruError): string => {
    if (code !== 'conflict' && code !== 'not_found') return wordsOfError(t, code);
    return question.problems?.[code] ?? (code === 'conflict' ? words.actConflict : words.actNotFound);
  };
  /** An act that runs cannot be called off, so the dialog stays until its outcome is known. */
  const stayWhileBusy = (event: Event) => {
    if (isBusy) event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      class="confirm"
      aria-labelledby="confirm-title"
      data-testid="confirm-dialog"
      onCancel={stayWhileBusy}
      onClose={onClose}
    >
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
          <button type="button" class="quiet-button" disabled={isBusy} onClick={() => dialog.current?.close()}>
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

/** The form for the own status. */
import type { Status } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { Sheet } from '../sheet.tsx';
import type { OwnStatus } from './own-status.ts';
import { StatusDot } from './status-dot.tsx';
import { statusTextProblem } from './status-text.ts';

const STATUSES = ['online', 'away', 'dnd', 'invisible'] as const satisfies Status[];

export function StatusDialog({ ownStatus, onClose }: { ownStatus: OwnStatus; onClose: () => void }) {
  const words = useSection('presence');
  const chosen = ownStatus.chosen();
  const [status, setStatus] = useState<Status>(chosen.status);
  const [text, setText] = useState(chosen.text);
  const problem = statusTextProblem(text);
  const save = (event: Event) => {
    event.preventDefault();
    if (problem !== null) return;
    ownStatus.choose({ status, text });
    onClose();
  };
  return (
    <Sheet id="status-dialog" title={words.title} closeLabel={words.close} onClose={onClose}>
      <form class="sheet-form" data-testid="status-form" onSubmit={save}>
        <fieldset class="choices">
          <legend class="sr-only">{words.title}</legend>
          {STATUSES.map((value) => (
            <label key={value} class="choice status-choice">
              <input
                type="radio"
                name="status"
                value={value}
                checked={value === status}
                aria-describedby={`status-${value}-hint`}
                onChange={() => setStatus(value)}
              />
              <StatusDot status={value} />
              <span>
                {words[value]}
                <span class="hint" id={`status-${value}-hint`}>
                  {words[`${value}Hint`]}
                </span>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="field">
          <label for="status-text">{words.text}</label>
          <div class="sheet-row">
            <input
              id="status-text"
              data-testid="status-input"
              dir="auto"
              autoComplete="off"
              placeholder={words.textPlaceholder}
              value={text}
              aria-invalid={problem !== null}
              aria-describedby={problem === null ? undefined : 'status-problem'}
              onInput={(event) => setText(event.currentTarget.value)}
            />
            {text !== '' && (
              <button type="button" class="quiet-button" data-testid="status-clear" onClick={() => setText('')}>
                {words.clear}
              </button>
            )}
          </div>
          <p class="field-error outcome" id="status-problem" role="status">
            {problem === 'tooLong'
              ? words.tooLong(LIMITS.statusTextCharsMax)
              : problem === 'unsafe'
                ? words.unsafe
                : ''}
          </p>
        </div>
        <div class="sheet-submit">
          <button type="submit" class="primary-button" data-testid="status-save" disabled={problem !== null}>
            {words.save}
          </button>
        </div>
      </form>
    </Sheet>
  );
}

/** The form that kicks, mutes or bans a person. */

import { useState } from 'preact/hooks';
import type { Sections } from '../i18n/catalogue.ts';
import { useSection } from '../i18n/index.ts';
import { Field, Outcome, ReasonField, textOf } from './fields.tsx';
import type { PersonViewProps } from './target.ts';
import { useAct } from './use-act.ts';

type SanctionName = 'kick' | 'mute' | 'ban';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** 0 means without end. A kick always ends; a ban may be permanent. */
const DURATIONS_MS: Record<SanctionName, readonly number[]> = {
  kick: [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, DAY_MS],
  mute: [10 * MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS, 0],
  ban: [HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 0],
};

function durationText(forMs: number, words: Sections['moderation']): string {
  if (forMs === 0) return words.noEnd;
  if (forMs < HOUR_MS) return words.minutes(forMs / MINUTE_MS);
  return forMs < DAY_MS ? words.hours(forMs / HOUR_MS) : words.days(forMs / DAY_MS);
}

export function SanctionForm({
  client,
  store,
  details,
  user,
  acts,
  onClose,
}: PersonViewProps & { acts: readonly SanctionName[] }) {
  const words = useSection('moderation');
  const { state, run } = useAct();
  const [act, setAct] = useState<SanctionName>(acts[0] ?? 'kick');
  // A kick from a private room ends the membership, so it has no duration.
  const durations = act === 'kick' && details.visibility === 'private' ? [] : DURATIONS_MS[act];

  const submit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const forMs = Number(textOf(form, 'duration'));
    const reason = textOf(form, 'reason');
    const sanction = { ...(forMs > 0 ? { forMs } : {}), ...(reason === '' ? {} : { reason }) };
    void run(() => client.moderation[act](store.room, user.id, sanction)).then((isDone) => isDone && onClose());
  };

  return (
    <form class="sheet-form" data-testid="sanction-form" onSubmit={submit}>
      <fieldset class="choices">
        <legend>{words.sanction}</legend>
        {acts.map((name) => (
          <label key={name} class="choice">
            <input type="radio" name="act" value={name} checked={act === name} onChange={() => setAct(name)} />
            {words[name]}
          </label>
        ))}
      </fieldset>
      {durations.length > 0 && (
        <Field id="sanction-duration" label={words.duration}>
          <select id="sanction-duration" name="duration" key={act}>
            {durations.map((forMs) => (
              <option key={forMs} value={forMs}>
                {durationText(forMs, words)}
              </option>
            ))}
          </select>
        </Field>
      )}
      <ReasonField id="sanction-reason" label={words.reason} />
      <div class="sheet-submit">
        <button type="submit" class="danger-button" data-testid="sanction-submit" disabled={state.kind === 'busy'}>
          {words.applyTo[act](user.name || user.id)}
        </button>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}

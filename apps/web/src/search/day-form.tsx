import { systemScheduler } from '@maru/client';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { dayOf, startOfDay } from './days.ts';

/** Jumps to a day of the room. The date picker is the browser's. */
export function DayForm({ onDay }: { onDay: (ts: number) => void }) {
  const words = useSection('search');
  const [day, setDay] = useState('');
  const ts = startOfDay(day);
  return (
    <form
      class="day-form"
      data-testid="day-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (ts !== undefined) onDay(ts);
      }}
    >
      <label for="find-day">{words.goToDay}</label>
      <div class="day-row">
        <input
          id="find-day"
          type="date"
          data-testid="day-input"
          min="1971-01-01"
          max={dayOf(systemScheduler.wallNow())}
          value={day}
          onInput={(event) => setDay(event.currentTarget.value)}
        />
        <button type="submit" class="quiet-button" data-testid="day-go" disabled={ts === undefined}>
          {words.go}
        </button>
      </div>
    </form>
  );
}

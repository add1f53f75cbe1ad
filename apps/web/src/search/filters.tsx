/** Search filters: room, author and time. */

import type { Search, SearchQuery } from '@maru/client/search';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { afterDay, beforeDay } from './days.ts';
import type { FindPaneProps } from './find-props.ts';

/** Maximum names in the list of authors. */
const PEOPLE_MAX = 200;

type FiltersProps = Pick<FindPaneProps, 'room' | 'nameOfRoom' | 'people' | 'ownId'> & {
  search: Search;
  query: SearchQuery;
};

export function Filters({ room, nameOfRoom, people, ownId, search, query }: FiltersProps) {
  const words = useSection('search');
  const [days, setDays] = useState({ from: '', to: '' });
  const rooms = [...new Set([room, ...(query.room === undefined ? [] : [query.room])])];
  const authors = [...people].filter(([id]) => id !== ownId).sort((a, b) => a[1].localeCompare(b[1]));
  const setDay = (change: Partial<typeof days>) => {
    const next = { ...days, ...change };
    setDays(next);
    search.set({ after: afterDay(next.from), before: beforeDay(next.to) });
  };
  return (
    <>
      <select
        data-testid="find-scope"
        aria-label={words.scope}
        value={query.room ?? ''}
        onChange={(event) => search.set({ room: event.currentTarget.value || undefined })}
      >
        <option value="">{words.allRooms}</option>
        {rooms.map((one) => (
          <option key={one} value={one}>
            {words.thisRoom(nameOfRoom(one))}
          </option>
        ))}
      </select>
      <details class="find-filters">
        <summary>{words.filters}</summary>
        <div class="find-field">
          <label for="find-author">{words.author}</label>
          <select
            id="find-author"
            data-testid="find-author"
            value={query.from ?? ''}
            onChange={(event) => search.set({ from: event.currentTarget.value || undefined })}
          >
            <option value="">{words.anyone}</option>
            <option value={ownId}>{words.me(people.get(ownId) ?? '')}</option>
            {authors.slice(0, PEOPLE_MAX).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </div>
        {(['from', 'to'] as const).map((end) => (
          <div class="find-field" key={end}>
            <label for={`find-${end}`}>{end === 'from' ? words.fromDay : words.toDay}</label>
            <input
              id={`find-${end}`}
              type="date"
              value={days[end]}
              onInput={(event) => setDay({ [end]: event.currentTarget.value })}
            />
          </div>
        ))}
      </details>
    </>
  );
}

/** Who did what to whom, newest first. */
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { auditDetails } from './audit-details.ts';
import { useFormats } from './formats.ts';
import { ListState, Table } from './table.tsx';
import { usePages } from './use-data.ts';

const FILTERS = ['user', 'room', 'action'] as const;
type Filters = Record<(typeof FILTERS)[number] | 'kind', string>;
const NONE: Filters = { kind: 'acts', user: '', room: '', action: '' };

export function AuditView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const formats = useFormats();
  const [filters, setFilters] = useState<Filters>(NONE);
  const key = JSON.stringify(filters);
  const pages = usePages((cursor) => api.audit(filters, cursor), key);
  const filter = (next: Filters) => (JSON.stringify(next) === key ? pages.reload() : setFilters(next));
  return (
    <>
      <FilterForm onFilter={filter} />
      <Table
        caption={words.audit}
        testId="audit"
        rows={pages.items}
        keyOf={({ id }) => id}
        columns={[
          { title: words.when, cell: ({ ts }) => formats.time(ts) },
          { title: words.action, cell: ({ action, outcome }) => (outcome ? `${action} (${outcome})` : action) },
          { title: words.by, cell: ({ by }) => <bdi>{by}</bdi> },
          { title: words.user, cell: ({ user = '' }) => <bdi>{user}</bdi> },
          { title: words.place, cell: ({ room, node }) => room ?? node ?? '' },
          { title: words.auditDetails, cell: (event) => auditDetails(event, words, formats).join(', ') },
          { title: words.reason, cell: ({ reason = '' }) => <bdi>{reason}</bdi> },
        ]}
      />
      <ListState {...pages} isEmpty={pages.items.length === 0} onRetry={pages.reload} />
    </>
  );
}

function FilterForm({ onFilter }: { onFilter: (filters: Filters) => void }) {
  const words = useSection('console');
  const [typed, setTyped] = useState(NONE);
  const change = (name: keyof Filters) => (event: { currentTarget: { value: string } }) =>
    setTyped({ ...typed, [name]: event.currentTarget.value });
  const labels = { user: words.user, room: words.room, action: words.action };
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(typed);
      }}
    >
      <label class="console-field">
        <span>{words.kind}</span>
        <select value={typed.kind} onChange={change('kind')}>
          <option value="acts">{words.auditKinds.acts}</option>
          <option value="sign-ins">{words.auditKinds.signIns}</option>
        </select>
      </label>
      {FILTERS.map((name) => (
        <label class="console-field" key={name}>
          <span>{labels[name]}</span>
          <input data-testid={`filter-${name}`} autoComplete="off" value={typed[name]} onInput={change(name)} />
        </label>
      ))}
      <button type="submit" class="primary-button" data-testid="filter">
        {words.filter}
      </button>
    </form>
  );
}

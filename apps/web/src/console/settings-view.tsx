/** The effective settings of the gateway that answers, without secrets. */
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { ListState, Table } from './table.tsx';
import { useData } from './use-data.ts';

export function SettingsView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const { value, ...state } = useData(api.settings, '');
  const settings = value?.settings ?? [];
  return (
    <>
      {value !== null && <p class="hint">{words.settingsOf(value.node)}</p>}
      <Table
        caption={words.settings}
        testId="settings"
        rows={settings}
        keyOf={({ name }) => name}
        columns={[
          { title: words.setting, cell: ({ name }) => <code>{name}</code> },
          {
            title: words.value,
            cell: (one) => (one.secret ? words.secret : one.value === null ? words.unset : <code>{one.value}</code>),
          },
          { title: words.meaning, cell: ({ doc }) => <span lang="en">{doc}</span> },
        ]}
      />
      <ListState {...state} isReady={value !== null} isEmpty={settings.length === 0} onRetry={state.reload} />
    </>
  );
}

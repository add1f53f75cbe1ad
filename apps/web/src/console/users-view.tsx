/**
 * Users: who is online and where, the sessions of a user, and how to disconnect or revoke a user.
 */
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { useAsk } from './confirm.tsx';
import { useFormats } from './formats.ts';
import { RoleForm } from './role-form.tsx';
import { SearchField } from './search-field.tsx';
import { ListState, Table } from './table.tsx';
import { useData, usePages } from './use-data.ts';

export function UsersView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const formats = useFormats();
  const [q, setQ] = useState('');
  const [opened, setOpened] = useState<string | null>(null);
  const pages = usePages((cursor) => api.users(q, cursor), q);
  const isSearched = pages.isReady || !pages.isLoading;
  const isAbsent = q !== '' && isSearched && !pages.items.some(({ id }) => id === q);
  return (
    <>
      <SearchField label={words.searchUsers} hint={words.searchUsersHint} value={q} onSearch={setQ} />
      {opened !== null && (
        <User key={opened} {...{ api, id: opened }} onDone={pages.reload} onClose={() => setOpened(null)} />
      )}
      <Table
        caption={words.usersOnline}
        testId="users"
        rows={pages.items}
        keyOf={({ id }) => id}
        columns={[
          {
            title: words.user,
            cell: ({ id, name }) => (
              <>
                <strong>
                  <bdi>{name}</bdi>
                </strong>{' '}
                <span class="hint">{id}</span>
              </>
            ),
          },
          { title: words.connections, isNumber: true, cell: ({ connections }) => formats.count(connections) },
          { title: words.nodes, cell: ({ nodes }) => nodes.join(', ') },
          {
            title: words.acts,
            cell: ({ id }) => (
              <button type="button" class="quiet-button" data-testid="open-user" onClick={() => setOpened(id)}>
                {words.details}
              </button>
            ),
          },
        ]}
      />
      <ListState {...pages} isEmpty={pages.items.length === 0} onRetry={pages.reload} />
      {/* Below the lists: it appears after a search, and must not move a button away from the pointer. */}
      {isAbsent && (
        <p>
          <button type="button" class="link-button" data-testid="open-absent" onClick={() => setOpened(q)}>
            {pages.isReady ? words.openAbsent(q) : words.openUser(q)}
          </button>
        </p>
      )}
    </>
  );
}

interface UserProps {
  api: AdminApi;
  id: string;
  onDone: () => void;
  onClose: () => void;
}

function User({ api, id, onDone, onClose }: UserProps) {
  const words = useSection('console');
  const formats = useFormats();
  const { value, ...state } = useData(() => api.user(id), id);
  const acts = useUserActs(api, id, () => {
    state.reload();
    onDone();
  });
  return (
    <section class="details" data-testid="user-details" data-user={id} aria-labelledby="user-title">
      <header>
        <h2 id="user-title">
          <bdi>{id}</bdi>
        </h2>
        <span class="row-acts">
          <button type="button" class="quiet-button" data-testid="disconnect-user" onClick={acts.disconnect}>
            {words.disconnect}
          </button>
          <button type="button" class="danger-button" data-testid="revoke-user" onClick={acts.revoke}>
            {words.revoke}
          </button>
          <button type="button" class="quiet-button" onClick={onClose}>
            {words.hide}
          </button>
        </span>
      </header>
      {value?.revokedTs !== undefined && (
        <p class="alert" data-testid="revoked">
          {words.revokedAt(formats.time(value.revokedTs))}
        </p>
      )}
      {value !== null && (
        <>
          <p>
            {words.roomsOfUser(value.rooms.length)} <span class="hint">{value.rooms.slice(0, 20).join(', ')}</span>
          </p>
          <RoleForm {...{ api, user: id, rooms: value.rooms }} />
          <Table
            caption={words.sessions}
            testId="sessions"
            rows={value.connections.map((one, index) => ({ ...one, index }))}
            keyOf={({ index }) => String(index)}
            columns={[
              { title: words.node, cell: ({ node }) => node },
              { title: words.program, cell: ({ program, transport }) => `${program ?? '–'} (${transport})` },
              { title: words.since, cell: ({ sinceTs }) => formats.time(sinceTs) },
              { title: words.rooms, isNumber: true, cell: ({ rooms }) => formats.count(rooms) },
              { title: words.clusterRoles, cell: ({ roles }) => roles.join(', ') || '–' },
            ]}
          />
          <p class="hint">{words.clusterRolesHint}</p>
        </>
      )}
      <ListState
        {...state}
        isReady={value !== null}
        isEmpty={value?.connections.length === 0}
        missing={value?.missing ?? []}
        onRetry={state.reload}
      />
    </section>
  );
}

function useUserActs(api: AdminApi, id: string, onDone: () => void) {
  const words = useSection('console');
  const ask = useAsk();
  return {
    disconnect: () =>
      ask({
        title: words.disconnectTitle(id),
        detail: words.disconnectDetail,
        act: words.disconnect,
        takesReason: true,
        run: (reason) => api.disconnect(id, reason),
        onDone,
      }),
    revoke: () =>
      ask({
        title: words.revokeTitle(id),
        detail: words.revokeDetail,
        act: words.revoke,
        takesReason: true,
        run: (reason) => api.revoke(id, reason),
        onDone,
      }),
  };
}

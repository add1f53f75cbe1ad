/** Rooms with open reports, the reports of one room, and acts on a reported message. */
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { useAsk } from './confirm.tsx';
import { useFormats } from './formats.ts';
import { ListState, Table } from './table.tsx';
import type { Report } from './types.ts';
import { useData, usePages } from './use-data.ts';

export function ReportsView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const formats = useFormats();
  const { value, ...state } = useData(api.reportedRooms, '');
  const [opened, setOpened] = useState<string | null>(null);
  const rooms = value ?? [];
  return (
    <>
      <Table
        caption={words.reportedRooms}
        testId="reported-rooms"
        rows={rooms}
        keyOf={({ room }) => room}
        columns={[
          { title: words.room, cell: ({ room }) => <strong>{room}</strong> },
          { title: words.reports, isNumber: true, cell: ({ reports }) => formats.count(reports) },
          { title: words.newest, cell: ({ lastTs }) => formats.time(lastTs) },
          {
            title: words.acts,
            cell: ({ room }) => (
              <button type="button" class="quiet-button" data-testid="open-reports" onClick={() => setOpened(room)}>
                {words.details}
              </button>
            ),
          },
        ]}
      />
      <ListState {...state} isReady={value !== null} isEmpty={rooms.length === 0} onRetry={state.reload} />
      {opened !== null && <Reports key={opened} {...{ api, room: opened }} onDone={state.reload} />}
    </>
  );
}

function Reports({ api, room, onDone }: { api: AdminApi; room: string; onDone: () => void }) {
  const words = useSection('console');
  const formats = useFormats();
  const pages = usePages((cursor) => api.reports(room, cursor), room);
  const acts = useReportActs(api, room, () => {
    pages.reload();
    onDone();
  });
  return (
    <section class="details" data-testid="reports" aria-labelledby="reports-title">
      <header>
        <h2 id="reports-title">{words.reportsOf(room)}</h2>
      </header>
      <Table
        caption={words.reportsOf(room)}
        testId="report-list"
        rows={pages.items}
        keyOf={({ id }) => id}
        columns={[
          {
            title: words.message,
            cell: ({ seq }) => <a href={`/r/${room}/${seq}`}>{words.messageAt(formats.count(seq))}</a>,
          },
          { title: words.author, cell: ({ from }) => <bdi>{from}</bdi> },
          { title: words.by, cell: ({ by }) => <bdi>{by}</bdi> },
          { title: words.reason, cell: ({ reason }) => <bdi>{reason}</bdi> },
          { title: words.when, cell: ({ ts }) => formats.time(ts) },
          {
            title: words.acts,
            cell: (report) => (
              <span class="row-acts">
                <button
                  type="button"
                  class="quiet-button"
                  data-testid="delete-message"
                  onClick={() => acts.remove(report)}
                >
                  {words.deleteMessage}
                </button>
                <button type="button" class="quiet-button" onClick={() => acts.ban(report)}>
                  {words.banAuthor}
                </button>
                <button
                  type="button"
                  class="quiet-button"
                  data-testid="close-report"
                  onClick={() => acts.closeReport(report)}
                >
                  {words.closeReport}
                </button>
              </span>
            ),
          },
        ]}
      />
      <ListState {...pages} isEmpty={pages.items.length === 0} onRetry={pages.reload} />
    </section>
  );
}

function useReportActs(api: AdminApi, room: string, onDone: () => void) {
  const words = useSection('console');
  const ask = useAsk();
  return {
    remove: ({ seq, from }: Report) =>
      ask({
        title: words.deleteMessageTitle(from),
        detail: words.deleteMessageDetail(room),
        act: words.deleteMessage,
        run: () => api.deleteMessage(room, seq),
        onDone,
        onChanged: onDone,
      }),
    ban: ({ from }: Report) =>
      ask({
        title: words.banTitle(from),
        detail: words.banDetail(room),
        act: words.banAuthor,
        takesReason: true,
        run: (reason) => api.ban(room, from, reason),
        onDone,
        onChanged: onDone,
        problems: { conflict: words.bansFull },
      }),
    closeReport: ({ id, by }: Report) =>
      ask({
        title: words.closeReportTitle(by),
        detail: words.closeReportDetail,
        act: words.closeReport,
        run: () => api.closeReport(room, id),
        onDone,
        onChanged: onDone,
      }),
  };
}

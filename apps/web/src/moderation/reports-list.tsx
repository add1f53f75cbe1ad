/** The queue of reports: the message, who reported it, and why. */

import type { Report } from '@maru/protocol/events';
import { useEffect, useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { nameOf } from '../model/names.ts';
import { ListFrame, Outcome } from './fields.tsx';
import type { ViewProps } from './target.ts';
import { useAct, usePages } from './use-act.ts';

/** A small page, because each report also reads its message unless it is loaded. */
const PAGE_ITEMS = 10;

/** The text of a message. Undefined while it loads, null if it no longer exists. */
function useQuote({ client, store }: ViewProps, seq: number): string | null | undefined {
  const loaded = store.conversation.message(seq)?.text;
  const [text, setText] = useState<string | null | undefined>(loaded);
  useEffect(() => {
    if (loaded !== undefined) return;
    let isWanted = true;
    const read = client.readHistory({ room: store.room, before: seq + 1, limit: 1 });
    void read
      .then(({ messages }) => messages.find((entry) => entry.seq === seq)?.text ?? null)
      .catch(() => null)
      .then((found) => isWanted && setText(found));
    return () => {
      isWanted = false;
    };
  }, [client, store, seq, loaded]);
  return loaded ?? text;
}

export function ReportsList(props: ViewProps) {
  const { client, store } = props;
  const words = useSection('moderation');
  const { state, run } = useAct();
  const pages = usePages(async (cursor) => {
    const page = await client.moderation.reports(store.room, { limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) });
    return { items: page.reports, cursor: page.cursor };
  });
  const close = (id: string) => void run(() => client.moderation.closeReport(store.room, id)).then(pages.reload);
  return (
    <>
      <ListFrame pages={pages} empty={words.noReports}>
        {pages.items.map((report) => (
          <ReportItem key={report.id} {...props} report={report} onCloseReport={close} />
        ))}
      </ListFrame>
      <Outcome state={state} done="" />
    </>
  );
}

function ReportItem(props: ViewProps & { report: Report; onCloseReport: (id: string) => void }) {
  const { report, names, onTarget, onClose, onShowMessage, onCloseReport } = props;
  const words = useSection('moderation');
  const quote = useQuote(props, report.seq);
  const [by, from] = [nameOf(names, report.by), nameOf(names, report.from)];
  return (
    <li class="report" data-testid="report">
      <p>
        {words.reportLine(by, from)}: <q dir="auto">{report.reason}</q>
      </p>
      <blockquote dir="auto">{quote === undefined ? words.loading : quote || words.noQuote}</blockquote>
      <div class="sheet-submit">
        <button type="button" class="quiet-button" data-testid="close-report" onClick={() => onCloseReport(report.id)}>
          {words.closeReport}
        </button>
        {quote && (
          <button
            type="button"
            class="quiet-button"
            onClick={() => {
              onClose();
              onShowMessage(report.seq);
            }}
          >
            {words.showMessage}
          </button>
        )}
        <button
          type="button"
          class="quiet-button"
          onClick={() => onTarget({ view: 'person', user: { id: report.from, name: from } })}
        >
          {words.manage(from)}
        </button>
      </div>
    </li>
  );
}

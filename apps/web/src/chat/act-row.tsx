import type { Entry } from '@maru/protocol/events';
import type { Catalogue } from '../i18n/catalogue.ts';
import { actLine } from '../model/act-line.ts';
import { type Names, nameOf } from '../model/names.ts';
import { untilText } from './until-text.ts';

export interface ActRowProps {
  entry: Entry;
  names: Names;
  locale: string;
  t: Catalogue;
}

/** An act on the room or on a person, shown as a small line between messages. */
export function ActRow({ entry, names, locale, t }: ActRowProps) {
  const line = wordsOfAct({ entry, names, locale, t });
  if (line === null) return null;
  return (
    <li class="act" data-testid="act" data-seq={entry.seq} data-type={entry.type}>
      {line}
    </li>
  );
}

export const wordsOfAct = ({ entry, names, locale, t }: ActRowProps): string | null =>
  actLine(entry, {
    t,
    nameOf: (id) => nameOf(names, id),
    untilText: (untilTs) => untilText(untilTs, entry.ts, locale),
  });

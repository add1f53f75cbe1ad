import { Fragment } from 'preact';
import { useSection } from '../i18n/index.ts';
import { usePreferences } from '../settings/use-preferences.ts';
import { Sheet } from '../sheet.tsx';
import './shortcuts.css';
import { type Chord, keyNames, type Scope, SHORTCUTS, type ShortcutId } from './shortcuts.ts';

const SCOPES: readonly Scope[] = ['page', 'write', 'messages'];
const IDS = Object.keys(SHORTCUTS) as ShortcutId[];

export function ShortcutDialog({ onClose }: { onClose: () => void }) {
  const words = useSection('shortcuts');
  const { enterSends } = usePreferences();
  return (
    <Sheet id="shortcut-dialog" title={words.title} closeLabel={words.close} onClose={onClose} isText>
      {SCOPES.map((scope) => (
        <section key={scope} class="shortcuts">
          <h3>{words[scope]}</h3>
          <dl>
            {IDS.filter((id) => SHORTCUTS[id].scope === scope).map((id) => (
              <div key={id} class="shortcut">
                <dt>{words[id === 'close' ? 'closeTop' : id]}</dt>
                <dd>
                  <Chords chords={chordsOf(id, enterSends)} or={words.or} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Sheet>
  );
}

/** The keys of a shortcut. The settings decide what Enter does. */
function chordsOf(id: ShortcutId, enterSends: boolean): readonly Chord[] {
  if (id === 'send' && !enterSends) return [{ ctrl: true, key: 'Enter' }];
  return id === 'newLine' && !enterSends ? [{ key: 'Enter' }] : SHORTCUTS[id].chords;
}

function Chords({ chords, or }: { chords: readonly Chord[]; or: string }) {
  const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
  return (
    <>
      {chords.map((chord, index) => (
        <Fragment key={keyNames(chord, isMac).join(' ')}>
          {index > 0 && <span class="hint"> {or} </span>}
          {keyNames(chord, isMac).map((name) => (
            <kbd key={name}>{name}</kbd>
          ))}
        </Fragment>
      ))}
    </>
  );
}

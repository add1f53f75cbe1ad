/** Opens the settings by a button or a shortcut. Loads them when they first open. */
import { type ComponentChildren, createContext } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';

export const OpenSettingsContext = createContext<() => void>(() => {});

const load = () => import('./settings-dialog.tsx').then(({ SettingsDialog }) => SettingsDialog);

export function SettingsHost({ children }: { children: ComponentChildren }) {
  const [isOpen, setIsOpen] = useState(false);
  const dialog = useLazyPart(load, ['settings'], isOpen);
  const open = useCallback(() => setIsOpen(true), []);
  const close = useCallback(() => setIsOpen(false), []);
  return (
    <OpenSettingsContext.Provider value={open}>
      {children}
      {isOpen && dialog.kind === 'ready' && <dialog.part onClose={close} />}
      {isOpen && dialog.kind === 'failed' && <LoadFailed retry={dialog.retry} onClose={close} />}
    </OpenSettingsContext.Provider>
  );
}

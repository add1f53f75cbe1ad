/** Opens the settings by a button or a shortcut. Loads them when they first open. */
import { type ComponentChildren, createContext } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { LazyDialog } from '../lazy-dialog.tsx';

export const OpenSettingsContext = createContext<() => void>(() => {});

const load = () => import('./settings-dialog.tsx').then(({ SettingsDialog }) => SettingsDialog);

export function SettingsHost({ children }: { children: ComponentChildren }) {
  const [isOpen, setIsOpen] = useState(false);
  const open = useCallback(() => setIsOpen(true), []);
  const close = useCallback(() => setIsOpen(false), []);
  return (
    <OpenSettingsContext.Provider value={open}>
      {children}
      <LazyDialog load={load} words={['settings']} given={isOpen ? { onClose: close } : null} />
    </OpenSettingsContext.Provider>
  );
}

/** Says that a part of the page could not be loaded, and offers to try again. */
import { useWords } from './i18n/index.ts';

export interface LoadFailedProps {
  retry: () => void;
  /** Missing where the part is the page itself. */
  onClose?: () => void;
  /** By default it is above the page, at its lower edge. */
  class?: string;
}

export function LoadFailed({ retry, onClose, class: style = 'alert dialog-failed' }: LoadFailedProps) {
  const { t } = useWords();
  return (
    <p class={style} role="alert" data-testid="load-failed">
      {t.dialogFailed}{' '}
      <button type="button" class="link-button" onClick={retry}>
        {t.tryAgain}
      </button>{' '}
      {onClose !== undefined && (
        <button type="button" class="link-button" onClick={onClose}>
          {t.closePanel}
        </button>
      )}
    </p>
  );
}

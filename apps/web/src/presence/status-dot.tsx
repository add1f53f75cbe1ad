import type { Status } from '@maru/protocol/events';

/** Shows a status by shape and colour. A text beside it says the same. */
export const StatusDot = ({ status }: { status: Status }) => (
  <span class={`status-dot status-dot-${status}`} aria-hidden="true" />
);

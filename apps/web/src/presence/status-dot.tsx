import type { Status } from '@maru/protocol/events';

/** Told by its shape, not only by its colour. A text beside it says the same. */
export const StatusDot = ({ status }: { status: Status }) => (
  <span class={`status-dot status-dot-${status}`} aria-hidden="true" />
);

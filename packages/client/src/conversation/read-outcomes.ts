/** Applies the answer to a read, or its failure, to the model and to the pages of the host. */
import { MaruError } from '@maru/protocol/errors';
import type { HostPages } from './host-pages.ts';
import type { ModelInput, RoomModel } from './model-state.ts';
import type { ReadQueueOptions } from './read-queue.ts';
import { isPlacing, missesTarget } from './window.ts';

const NOT_FOUND = new MaruError('not_found', 'No such message').toBody();

export interface ReadOutcomesOptions {
  pages: HostPages;
  model: () => RoomModel;
  step: (input: ModelInput) => void;
  hasSession: () => boolean;
}

export function readOutcomes({
  pages,
  model,
  step,
  hasSession,
}: ReadOutcomesOptions): Pick<ReadQueueOptions, 'onAnswer' | 'onFailed'> {
  return {
    onAnswer({ generation, read, data }) {
      const before = model();
      if (generation === before.generation && missesTarget(before, read, data)) {
        pages.ended(read, NOT_FOUND);
        step({ type: 'failed', generation, read });
        return true;
      }
      pages.ended(read, null);
      step({ type: 'answered', generation, read, data });
      return model().messages !== before.messages || model().threads !== before.threads;
    },
    onFailed({ generation, read, error }) {
      const isOver = hasSession();
      if (isOver || !isPlacing(read)) pages.ended(read, error);
      if (read.kind === 'one' && error.code === 'not_found') step({ type: 'missing', generation, seq: read.seq });
      else step({ type: 'failed', generation, ...(isOver ? { read } : {}) });
    },
  };
}

/** One call of a script: what the append connection sends. */
import type { Script } from '@maru/redis-store';

export interface Call {
  script: Script;
  /** Keys, then arguments, in the order of the script's header. */
  args: Array<string | number>;
}

/** The result of starting the page. */
import type { Session } from '../session/session.ts';

/** `refused`: by the provider or the user. `forbidden`: by the chat server. */
export type StartProblem = 'failed' | 'refused' | 'forbidden';

export interface Start {
  session: Session | null;
  /** A room whose name the user typed before the page went to the provider. */
  typedRoom: string | null;
  /** The current path of the page. */
  path: string;
  problem: StartProblem | null;
}

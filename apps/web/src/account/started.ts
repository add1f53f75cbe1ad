/** How the page began. */
import type { Session } from '../session/session.ts';

/** `refused`: by the provider or the user; `forbidden`: by the chat. */
export type StartProblem = 'failed' | 'refused' | 'forbidden';

export interface Start {
  session: Session | null;
  /** A room that the user entered by its name, before the page went to the provider. */
  typedRoom: string | null;
  /** Where the page is now. */
  path: string;
  problem: StartProblem | null;
}

/**
 * The own status: what the user has chosen, and `away` while the device is idle. The user may also
 * choose one on another device. Presence shows that choice, and the newest choice wins.
 */
import type { ChatClient, Scheduler } from '@maru/client';
import type { PresenceUser, Status } from '@maru/protocol/events';
import type { PreferenceStore } from '../settings/preferences.ts';
import type { Idle } from './idle.ts';

export interface OwnStatusView {
  readonly status: Status;
  /** Empty if there is no text. */
  readonly text: string;
}

export interface OwnStatusOptions {
  client: Pick<ChatClient, 'on' | 'setStatus'>;
  ownId: string;
  preferences: Pick<PreferenceStore, 'get' | 'set' | 'subscribe'>;
  scheduler: Pick<Scheduler, 'now' | 'after'>;
  /** Creates and starts the watcher of input. */
  watchIdle: (on: { onChange: () => void; onInput: () => void }) => Idle;
}

export interface OwnStatus {
  /** The status that others see. `invisible` is returned as such. */
  get(): OwnStatusView;
  subscribe(listener: () => void): () => void;
  /** The status that the user has chosen. */
  chosen(): OwnStatusView;
  choose(next: OwnStatusView): void;
  close(): void;
}

const DEFAULT: OwnStatusView = { status: 'online', text: '' };
/** How late a change may appear in presence. */
const PRESENCE_LATE_MS = 10_000;

const isSame = (one: OwnStatusView, other: OwnStatusView): boolean =>
  one.status === other.status && one.text === other.text;

export function createOwnStatus(options: OwnStatusOptions): OwnStatus {
  return new ClientOwnStatus(options);
}

/** Its methods are bound, so they can be passed on as functions. */
class ClientOwnStatus implements OwnStatus {
  readonly #options: OwnStatusOptions;
  readonly #idle: Idle;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: Array<() => void>;
  #chosen = DEFAULT;
  /** The status on the server, as far as this device knows. */
  #known = DEFAULT;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  /** This device is idle, but the person uses another one, which sets the status. */
  #isUsedElsewhere = false;
  /** Ends the wait until the other device is taken to be gone. */
  #cancel = () => {};
  #view = DEFAULT;

  constructor(options: OwnStatusOptions) {
    this.#options = options;
    const { client, ownId, preferences, watchIdle } = options;
    const onChange = () => {
      this.#noteUse(false);
      this.#apply();
    };
    this.#idle = watchIdle({ onChange, onInput: () => this.#apply() });
    const follow = () => {
      const { awayAfterMin, status } = preferences.get();
      // The stored choice may belong to another user.
      if (status?.user === ownId) this.#chosen = { status: status.status, text: status.text };
      this.#idle.setTimeout(awayAfterMin === 0 ? null : awayAfterMin * 60_000);
      this.#apply();
    };
    this.#unsubscribe = [
      preferences.subscribe(follow),
      client.on('presence', ({ view }) => {
        const own = view.users?.get(ownId);
        if (own !== undefined) this.#onSeen(own);
      }),
    ];
    follow();
  }

  readonly get = (): OwnStatusView => this.#view;

  readonly subscribe: OwnStatus['subscribe'] = (listener) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly chosen = (): OwnStatusView => this.#chosen;

  readonly choose = ({ status, text }: OwnStatusView): void => {
    const { ownId, preferences } = this.#options;
    preferences.set({ status: { user: ownId, status, text: text.trim() } });
  };

  readonly close = (): void => {
    this.#cancel();
    this.#idle.close();
    for (const end of this.#unsubscribe) end();
  };

  /** Idleness changes only the status `online`. */
  #wanted(): OwnStatusView {
    const { status, text } = this.#chosen;
    const isAway = status === 'online' && this.#idle.isIdle() && !this.#isUsedElsewhere;
    return { status: isAway ? 'away' : status, text };
  }

  #apply(): void {
    const wanted = this.#wanted();
    if (!isSame(wanted, this.#known)) this.#send(wanted);
    this.#show();
  }

  #send(wanted: OwnStatusView): void {
    const { client, scheduler } = this.#options;
    this.#known = wanted;
    this.#sentAtMs = scheduler.now();
    // The client sets the status again on each connection. The form has already checked it.
    client.setStatus(wanted.status, wanted.text).catch((error: unknown) => {
      console.warn('the status was not set', error);
    });
  }

  #onSeen({ status, text = '' }: PresenceUser): void {
    const seen = { status, text };
    if (isSame(seen, this.#known) || this.#options.scheduler.now() - this.#sentAtMs < PRESENCE_LATE_MS) return;
    const areOthersIdle = status === 'away' && text === this.#chosen.text;
    this.#noteUse(!areOthersIdle && this.#idle.isIdle());
    // If the others are idle, the next input here ends that. If only this device is, it stays
    // silent: two devices would set the status in turn, for ever.
    if (areOthersIdle || (this.#isUsedElsewhere && isSame(seen, this.#chosen))) {
      this.#known = seen;
      this.#show();
      return;
    }
    // Send it, so a reconnect of this device does not undo it.
    this.#send(seen);
    this.choose(seen);
  }

  /** The other device may leave without a word. Then the user is away as soon as here. */
  #noteUse(isElsewhere: boolean): void {
    const { preferences, scheduler } = this.#options;
    this.#isUsedElsewhere = isElsewhere;
    this.#cancel();
    if (!isElsewhere) return;
    this.#cancel = scheduler.after(preferences.get().awayAfterMin * 60_000, () => {
      this.#isUsedElsewhere = false;
      this.#apply();
    });
  }

  #show(): void {
    const next = this.#known;
    if (isSame(next, this.#view)) return;
    this.#view = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

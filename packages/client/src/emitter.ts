import { type ClientLogger, describeError } from './logger.ts';

/**
 * A typed event source. If a listener throws, the error is logged and the other listeners still
 * run.
 */
export interface Emitter<Events> {
  on<K extends keyof Events>(name: K, listener: (value: Events[K]) => void): () => void;
  emit<K extends keyof Events>(name: K, value: Events[K]): void;
}

export function createEmitter<Events>(logger: ClientLogger): Emitter<Events> {
  type AnyListener = (value: never) => void;
  const listeners = new Map<keyof Events, Set<AnyListener>>();

  return {
    on(name, listener) {
      const set = listeners.get(name) ?? new Set<AnyListener>();
      listeners.set(name, set);
      set.add(listener as AnyListener);
      return () => void set.delete(listener as AnyListener);
    },
    emit(name, value) {
      // Iterate over a copy, because a listener may remove itself or others.
      for (const listener of [...(listeners.get(name) ?? [])]) {
        try {
          (listener as (given: typeof value) => void)(value);
        } catch (error) {
          logger.warn('a listener failed', { event: String(name), error: describeError(error) });
        }
      }
    },
  };
}

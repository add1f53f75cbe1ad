/**
 * Hooks for React and Preact. They depend on neither: the host passes its `useState` and
 * `useEffect` once.
 */
import type {
  Conversation,
  Conversations,
  ConversationView,
  MyRoomsView,
  Pins,
  PinsView,
  Thread,
  ThreadView,
  Watched,
} from '../conversation/types.ts';

export interface HostHooks {
  useState<S>(initial: S | (() => S)): [S, (next: S | ((before: S) => S)) => void];
  // biome-ignore lint/suspicious/noConfusingVoidType: as the hosts declare it
  useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
}

/**
 * Null before the first effect. Afterwards `view` is the newest view, and the component renders it.
 */
export type Opened<Handle, View> = { handle: Handle; view: View } | null;

export interface Hooks {
  /** Returns the current value, and renders again whenever it changes. */
  useWatched<View>(source: Watched<View> | null): View | null;
  /** Opens the model of the room while the component is mounted. It does not join the room. */
  useConversation(conversations: Conversations, room: string): Opened<Conversation, ConversationView>;
  useThread(conversation: Conversation, root: number): Opened<Thread, ThreadView>;
  usePins(conversation: Conversation): Opened<Pins, PinsView>;
  useMyRooms(conversations: Conversations): MyRoomsView;
}

export function createHooks({ useState, useEffect }: HostHooks): Hooks {
  function useWatched<View>(source: Watched<View> | null): View | null {
    const view = source?.get() ?? null;
    const [, render] = useState(0);
    useEffect(() => {
      if (source === null) return;
      const onChange = () => render((count) => count + 1);
      // The view may have changed between the render and this effect.
      if (source.get() !== view) onChange();
      return source.subscribe(onChange);
    }, [source]);
    return view;
  }

  function useOpened<Handle extends Watched<View> & { close(): void }, View>(
    open: () => Handle,
    inputs: readonly unknown[],
  ): Opened<Handle, View> {
    const [handle, setHandle] = useState<Handle | null>(null);
    useEffect(() => {
      const opened = open();
      setHandle(() => opened);
      return () => {
        setHandle(null);
        opened.close();
      };
    }, inputs);
    const view = useWatched(handle);
    return handle === null || view === null ? null : { handle, view };
  }

  return {
    useWatched,
    useConversation: (conversations, room) =>
      useOpened<Conversation, ConversationView>(() => conversations.open(room), [conversations, room]),
    useThread: (conversation, root) =>
      useOpened<Thread, ThreadView>(() => conversation.thread(root), [conversation, root]),
    usePins: (conversation) => useOpened<Pins, PinsView>(() => conversation.pins(), [conversation]),
    useMyRooms: ({ myRooms }) => useWatched(myRooms) ?? myRooms.get(),
  };
}

/** Desktop notifications: one for each room. A new one replaces the previous one. */
export interface DesktopNotice {
  /** The room, or another name for a notification about several rooms. */
  tag: string;
  title: string;
  body: string;
  onOpen: () => void;
}

export interface Desktop {
  show(notice: DesktopNotice): void;
  close(tag: string): void;
  closeAll(): void;
}

export function createDesktop(icon: string): Desktop {
  const open = new Map<string, Notification>();
  const close = (tag: string) => {
    open.get(tag)?.close();
    open.delete(tag);
  };
  return {
    show({ tag, title, body, onOpen }) {
      const notification = tryNotify(title, { body, tag: `maru ${tag}`, icon, silent: true });
      if (notification === null) return;
      open.set(tag, notification);
      notification.onclick = () => {
        window.focus();
        close(tag);
        onOpen();
      };
      notification.onclose = () => {
        if (open.get(tag) === notification) open.delete(tag);
      };
    },
    close,
    closeAll() {
      for (const tag of [...open.keys()]) close(tag);
    },
  };
}

/** Null if the browser refuses: phones require a service worker for notifications. */
function tryNotify(title: string, options: NotificationOptions): Notification | null {
  if (!('Notification' in globalThis) || Notification.permission !== 'granted') return null;
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
}

/** Copies a text to the clipboard. Resolves to whether that worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The Clipboard API needs HTTPS. Without it, copy through a field, which can take the focus
    // once the menu is closed.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return copyByField(text);
  }
}

function copyByField(text: string): boolean {
  const from = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.className = 'sr-only';
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  if (from instanceof HTMLElement) from.focus({ preventScroll: true });
  return isDone;
}

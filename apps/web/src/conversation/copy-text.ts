/** Puts a text on the clipboard. Resolves to whether it is there. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS there is no clipboard. The menu is closed by now, so a field can take the
    // focus.
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

/** Whether a key press in the message field sends the message (Enter, or Ctrl or ⌘ with Enter). */
export interface KeyPress {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode: number;
}

/**
 * While an input method composes text (Korean, Japanese, Chinese), Enter only ends the composition
 * and must not send. Otherwise the last syllable would be missing or appear twice. Safari ends the
 * composition before the key press; there, only key code 229 shows it.
 */
export function isSendKey(press: KeyPress, enterSends: boolean): boolean {
  if (press.key !== 'Enter' || press.isComposing || press.keyCode === 229) return false;
  if (press.shiftKey || press.altKey) return false;
  return (press.ctrlKey || press.metaKey) !== enterSends;
}

/** Up in an empty field edits the last message. In other fields, Up moves the caret. */
export const isEditKey = (press: KeyPress, text: string): boolean =>
  press.key === 'ArrowUp' && text === '' && !press.isComposing && !press.shiftKey && !press.altKey && !press.ctrlKey;

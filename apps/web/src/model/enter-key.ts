/**
 * Whether a key press in the message field sends it (Enter alone, or with Ctrl or ⌘), or edits.
 */
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
 * During a composition (Korean, Japanese, Chinese input), Enter ends the composition and must not
 * send. Otherwise the text would lack its last syllable or contain it twice. Safari ends the
 * composition before the key press. There, only the key code 229 shows it.
 */
export function isSendKey(press: KeyPress, enterSends: boolean): boolean {
  if (press.key !== 'Enter' || press.isComposing || press.keyCode === 229) return false;
  if (press.shiftKey || press.altKey) return false;
  return (press.ctrlKey || press.metaKey) !== enterSends;
}

/** Up, in an empty field: there the caret has nowhere to go. */
export const isEditKey = (press: KeyPress, text: string): boolean =>
  press.key === 'ArrowUp' && text === '' && !press.isComposing && !press.shiftKey && !press.altKey && !press.ctrlKey;

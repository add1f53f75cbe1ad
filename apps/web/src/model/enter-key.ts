/** Whether a key press in the message field sends it. */
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
export function isSendKey(press: KeyPress): boolean {
  if (press.key !== 'Enter' || press.isComposing || press.keyCode === 229) return false;
  return !press.shiftKey && !press.ctrlKey && !press.altKey && !press.metaKey;
}

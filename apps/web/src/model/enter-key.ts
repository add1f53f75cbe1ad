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
 * While a syllable is being composed (Korean, Japanese, Chinese input), Enter ends the composition and must not send: the text
 * would go out with its last syllable missing or doubled. Safari has ended the composition by the time of the key press and
 * leaves the key code 229 as the only trace.
 */
export function isSendKey(press: KeyPress): boolean {
  if (press.key !== 'Enter' || press.isComposing || press.keyCode === 229) return false;
  return !press.shiftKey && !press.ctrlKey && !press.altKey && !press.metaKey;
}

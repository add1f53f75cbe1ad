/** The reactions that are offered first, and what counts as one emoji. Pure. */
import { LIMITS } from '@maru/protocol/limits';

export const OFFERED_EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '🙏'] as const;

/** One grapheme with nothing around it, as the server demands. */
export function isOneEmoji(typed: string): boolean {
  const graphemes = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(typed)];
  const bytes = new TextEncoder().encode(typed).length;
  return graphemes.length === 1 && typed.trim() !== '' && bytes <= LIMITS.emojiBytesMax;
}

/** The reactions that are offered first. */

export const OFFERED_EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '🙏'] as const;

/** Those beside the menu of a message. */
export const FREQUENT_EMOJI = OFFERED_EMOJI.slice(0, 3);

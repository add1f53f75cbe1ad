/** The reactions that the page offers first. */

export const OFFERED_EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '🙏'] as const;

/** The reactions beside the menu of a message. */
export const FREQUENT_EMOJI = OFFERED_EMOJI.slice(0, 3);

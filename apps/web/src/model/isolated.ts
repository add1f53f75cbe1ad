/** Isolates a name, so that its text direction does not reorder the sentence around it. */
export const isolated = (name: string): string => `\u2068${name}\u2069`;

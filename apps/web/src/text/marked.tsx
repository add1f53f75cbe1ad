/**
 * Renders text without markup: marks mentions, and confines stacks of combining marks to their
 * line.
 */
import type { ComponentChildren } from 'preact';
import { type Mentioning, marksIn } from './marks.ts';

export function Marked({ text, view }: { text: string; view: Mentioning }): ComponentChildren {
  return marksIn(text, view).map((mark, index) => {
    if (mark.kind === 'text') return mark.text;
    if (mark.kind === 'stack') {
      return (
        <span key={index} class="stack">
          {mark.text}
        </span>
      );
    }
    return (
      <bdi key={index} class={mark.isOwn ? 'mention mention-own' : 'mention'}>
        {mark.text}
      </bdi>
    );
  });
}

/**
 * Renders the parts of a text as elements. Only this module and `marked.tsx` create elements from
 * texts. It loads together with the parser.
 */
import type { ComponentChildren } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { Route } from '../model/route.ts';
import { format } from './format.ts';
import { ownRoute } from './links.ts';
import { Marked } from './marked.tsx';
import type { Mentioning } from './marks.ts';
import type { Block, Inline, LinkTarget } from './model.ts';

export interface View extends Mentioning {
  codeLabel: string;
  /** Opens a room or a message. Null: the browser follows the link. */
  onOpen: ((route: Route) => void) | null;
}

export function Formatted({ text, view }: { text: string; view: View }): ComponentChildren {
  const blocks = useMemo(() => format(text), [text]);
  return <Blocks blocks={blocks} view={view} />;
}

function Blocks({ blocks, view }: { blocks: Block[]; view: View }): ComponentChildren {
  return blocks.map((block, index) => <OneBlock key={index} block={block} view={view} />);
}

function OneBlock({ block, view }: { block: Block; view: View }): ComponentChildren {
  if (block.kind === 'lines') return <Inlines parts={block.children} view={view} />;
  if (block.kind === 'code') return <Code language={block.language} text={block.text} label={view.codeLabel} />;
  if (block.kind === 'quote') {
    return (
      <blockquote>
        <Blocks blocks={block.children} view={view} />
      </blockquote>
    );
  }
  const items = block.items.map((item, index) => (
    <li key={index} value={item.number ?? undefined}>
      <Blocks blocks={item.children} view={view} />
    </li>
  ));
  return block.isNumbered ? <ol>{items}</ol> : <ul>{items}</ul>;
}

function Inlines({ parts, view }: { parts: Inline[]; view: View }): ComponentChildren {
  return parts.map((part, index) => {
    if (typeof part === 'string') return <Marked key={index} text={part} view={view} />;
    if (part.kind === 'code') return <code key={index}>{part.text}</code>;
    const children = <Inlines parts={part.children} view={view} />;
    if (part.kind === 'link') return <Link key={index} {...part} onOpen={view.onOpen} children={children} />;
    const Element = part.kind;
    return <Element key={index}>{children}</Element>;
  });
}

interface LinkProps extends Pick<View, 'onOpen'> {
  target: LinkTarget;
  children: ComponentChildren;
}

function Link({ target: { href, host }, children, onOpen }: LinkProps): ComponentChildren {
  const route = ownRoute(href, location.origin);
  const outside = { target: '_blank', rel: 'noopener noreferrer nofollow' };
  const open = (event: MouseEvent) => {
    const isOther = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0;
    if (route === null || onOpen === null || isOther) return;
    event.preventDefault();
    onOpen(route);
  };
  return (
    <>
      <a href={href} title={href} dir="auto" {...(route === null ? outside : { onClick: open })}>
        {children}
      </a>
      {host !== null && <bdi class="link-host"> ({host})</bdi>}
    </>
  );
}

function Code({ language, text, label }: { language: string | null; text: string; label: string }) {
  const [isWide, setWide] = useState(false);
  // The keyboard can scroll only a focusable element.
  const measure = useCallback(
    (element: HTMLPreElement | null) => {
      if (element !== null) setWide(element.scrollWidth > element.clientWidth);
    },
    [text],
  );
  const reach = isWide ? ({ tabIndex: 0, role: 'group', 'aria-label': label } as const) : {};
  return (
    <div class="code-block">
      {language !== null && <span class="code-language">{language}</span>}
      <pre ref={measure} dir="ltr" {...reach}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

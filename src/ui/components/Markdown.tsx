// Text of a language model: untrusted. Markdown (CommonMark and GitHub's tables, lists and strikethrough) becomes React elements; HTML in it
// stays text, pictures of other servers are not loaded, links open in a tab of their own.
import { useRef, type ComponentProps } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CopyButton } from './CopyButton';
import s from './Markdown.module.css';

/** An address that a model may point to; anything else is no link. A relative one would lead into this page. */
const safeUrl = (url: string): string => (/^(?:https?:\/\/|mailto:)/i.test(url) ? url : '');

const components: Components = {
  a: ({ href, children }) => (href ? <Outside href={href}>{children}</Outside> : <>{children}</>),
  img: ({ src, alt }) => (
    <Outside href={typeof src === 'string' ? src : ''}>Picture, not loaded: {alt || 'without words'}</Outside>
  ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => (
    <div className={s['table']} tabIndex={0} role="region" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
};

const plugins = [remarkGfm];

/** `text` as elements. */
export function Markdown({ text }: { readonly text: string }) {
  return (
    <div className={s['text']}>
      <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={safeUrl}>
        {text}
      </ReactMarkdown>
    </div>
  );
}

function Outside({ href, children }: ComponentProps<'a'>) {
  if (!href) return <span>{children}</span>;
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function CodeBlock({ children }: ComponentProps<'pre'>) {
  const block = useRef<HTMLPreElement>(null);
  return (
    <div className={s['code']}>
      <pre ref={block} tabIndex={0}>
        {children}
      </pre>
      <CopyButton
        label="Copy code"
        hasIcon={false}
        copy={() => navigator.clipboard.writeText(block.current?.textContent ?? '')}
      />
    </div>
  );
}

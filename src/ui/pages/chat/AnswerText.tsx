// The words of an answer: plain until the Markdown reader is there, which is loaded with the first answer.
import { lazy, memo, Suspense } from 'react';
import s from './Chat.module.css';

const Markdown = lazy(() =>
  import('../../components/Markdown').then((module) => ({ default: module.Markdown })),
);

/** `text` as Markdown. */
export const AnswerText = memo(function AnswerText({ text }: { readonly text: string }) {
  return (
    <Suspense fallback={<p className={s['text']}>{text}</p>}>
      <Markdown text={text} />
    </Suspense>
  );
});

/** Instead of an answer: that it is under way, or why there is none. */
import type { JSX } from 'preact';
import type { Answer } from '../api.ts';

export function Failure({ answer }: { readonly answer: Answer<unknown> }): JSX.Element {
  if (answer.kind !== 'failed') return <p class="quiet">Asking the node …</p>;
  return (
    <p class="notice" role="alert">
      {answer.error}
    </p>
  );
}

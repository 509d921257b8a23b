/** Questions to the explorer's paths of the node. */
import { useEffect, useState } from 'preact/hooks';
import type { ApiFailure } from '../contract.ts';

export type Answer<T> =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: string };

const TOO_MANY_REQUESTS = 429;
const PAUSE_MS = 1_000;
const MAX_ATTEMPTS = 5;

/** Waits its turn where many ask at once: the node answers so many look-ups a second, of all its readers. */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
  try {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(path, signal === undefined ? {} : { signal });
      const body: unknown = await response.json();
      if (response.ok) return { kind: 'answer', value: body as T };
      if (response.status !== TOO_MANY_REQUESTS || attempt === MAX_ATTEMPTS) {
        return { kind: 'failed', error: (body as ApiFailure).error };
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } catch {
    return { kind: 'failed', error: 'The node did not answer. Is it still running?' };
  }
}

/**
 * Asks when the path changes, and again when the revision does: what is told changes with it. The answer to another path is
 * never shown, the one of an older revision until the new one is there.
 */
export function useAnswer<T>(path: string, revision = ''): Answer<T> {
  const [answered, setAnswered] = useState<{ readonly path: string; readonly answer: Answer<T> } | undefined>();
  useEffect(() => {
    const abort = new AbortController();
    void ask<T>(path, abort.signal).then((answer) => {
      if (!abort.signal.aborted) setAnswered({ path, answer });
    });
    return () => abort.abort();
  }, [path, revision]);
  return answered?.path === path ? answered.answer : { kind: 'waiting' };
}

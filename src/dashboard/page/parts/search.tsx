/** One box for heights, hashes, transaction ids and peer ids; the key `/` leads to it. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SearchAnswer } from '../../contract.ts';
import { ask } from '../api.ts';
import { blockPath, peerPath, txPath } from '../route.ts';

const MAX_CHARACTERS = 200;

export function Search(): JSX.Element {
  const box = useRef<HTMLInputElement>(null);
  const [failure, setFailure] = useState('');
  useSlashKey(box);
  const search = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = box.current?.value.trim() ?? '';
    if (text === '') return;
    const answer = await ask<SearchAnswer>(`/api/search?q=${encodeURIComponent(text)}`);
    const found = answer.kind === 'answer' ? answer.value : undefined;
    const path = found && pathOf(found);
    if (path === undefined) {
      setFailure(answer.kind === 'failed' ? answer.error : found?.kind === 'nothing' ? found.reason : '');
      return;
    }
    setFailure('');
    if (box.current !== null) box.current.value = '';
    location.hash = path;
  };
  return (
    <search>
      <form onSubmit={(event) => void search(event)}>
        <label class="unseen" for="search">
          Search for a height, block, transaction or peer
        </label>
        <input
          {...{ ref: box, id: 'search', type: 'search', maxLength: MAX_CHARACTERS, autocomplete: 'off' }}
          placeholder="Height, hash, txid, peer"
          spellcheck={false}
          aria-keyshortcuts="/"
          aria-describedby="search-failure"
          onInput={() => setFailure('')}
        />
        <kbd>/</kbd>
      </form>
      <output id="search-failure" for="search">
        {failure}
      </output>
    </search>
  );
}

function pathOf(found: SearchAnswer): string | undefined {
  if (found.kind === 'block') return blockPath(found.hash);
  if (found.kind === 'tx') return txPath(found.txid);
  return found.kind === 'peer' ? peerPath(found.id) : undefined;
}

function useSlashKey(box: { readonly current: HTMLInputElement | null }): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      box.current?.focus();
      box.current?.select();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [box]);
}

/** The newest transactions of the mempool. */
import type { JSX } from 'preact';
import type { Mempool } from '../../contract.ts';
import * as format from '../format.ts';
import { TxLink } from './links.tsx';

type LatestTransactionsProps = { readonly latest: Mempool['latest']; readonly nowMs: number };

export function LatestTransactions({ latest, nowMs }: LatestTransactionsProps): JSX.Element {
  if (latest.length === 0) return <p class="quiet">Nothing waits in the mempool.</p>;
  return (
    <ol class="recent">
      {latest.map(({ txid, vsizeBytes, feeSats, enteredAtMs }) => (
        <li key={txid}>
          <TxLink txid={txid} />
          <span class="number">{format.count(vsizeBytes)} vB</span>
          <span class="number">{format.feerate(feeSats / vsizeBytes)} sat/vB</span>
          <span class="number quiet">{format.ago(enteredAtMs, nowMs)}</span>
        </li>
      ))}
    </ol>
  );
}

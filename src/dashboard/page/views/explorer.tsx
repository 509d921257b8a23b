/** The way into blocks and transactions: what can be searched, and what is new. */
import type { JSX } from 'preact';
import * as format from '../format.ts';
import { LatestTransactions } from '../parts/latest-transactions.tsx';
import { BlockLink } from '../parts/links.tsx';
import { Panel } from '../parts/panel.tsx';
import type { ViewProps } from '../view-props.ts';

const SHOWN = 12;

export function ExplorerView({ feed, nowMs }: ViewProps): JSX.Element {
  const hasTxIndex = feed.overview.indexes.includes('txindex');
  return (
    <>
      <Panel title="Search">
        <p>
          The box at the top (key <kbd>/</kbd>) takes a height, the hash of a block, the id of a transaction, or a peer
          id.
        </p>
        <p class="quiet">
          {hasTxIndex
            ? 'This node keeps an index of all transactions.'
            : 'Transactions are found in the mempool and in recent blocks; all of them if the node runs with --txindex.'}
        </p>
      </Panel>
      <div class="columns">
        <Panel title="Blocks">
          <ol class="recent">
            {feed.blocks.slice(0, SHOWN).map(({ hash, height, txCount, timeSeconds }) => (
              <li key={hash}>
                <a class="number" href={`#/block/${hash}`}>
                  {format.count(height)}
                </a>
                <BlockLink hash={hash} />
                <span class="number">{format.count(txCount)} tx</span>
                <span class="number quiet">{format.ago(timeSeconds * 1000, nowMs)}</span>
              </li>
            ))}
          </ol>
        </Panel>
        <Panel title="Transactions">
          <LatestTransactions latest={feed.mempool.latest} nowMs={nowMs} />
        </Panel>
      </div>
    </>
  );
}

/** One block: its header, what it pays, who told of it, and its transactions by pages. */
import type { JSX } from 'preact';
import type { BlockAnnouncement, BlockAnswer, BlockTx } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import * as format from '../format.ts';
import { Delays } from '../parts/delays.tsx';
import { Failure } from '../parts/failure.tsx';
import { BlockLink, TxLink } from '../parts/links.tsx';
import { Facts, Figures, Panel } from '../parts/panel.tsx';
import { ScrollBox } from '../parts/scroll-box.tsx';
import { blockPath } from '../route.ts';
import type { ViewProps } from '../view-props.ts';

type BlockViewProps = ViewProps & { readonly id: string; readonly page: number };

export function BlockView({ id, page, feed, nowMs }: BlockViewProps): JSX.Element {
  const answer = useAnswer<BlockAnswer>(`/api/block/${encodeURIComponent(id)}?page=${page}`, feed.overview.tip.hash);
  if (answer.kind !== 'answer') return <Failure answer={answer} />;
  const found = answer.value;
  // The tip is there before the answer to what it changed.
  const confirmations = found.block.confirmations < 0 ? -1 : feed.overview.tip.height - found.block.height + 1;
  return (
    <>
      {confirmations < 0 && <p class="notice">This block is not on the active chain.</p>}
      <BlockFigures answer={found} confirmations={confirmations} nowMs={nowMs} />
      <div class="columns">
        <HeaderPanel answer={found} />
        <AnnouncementsPanel announcements={found.announcements} />
      </div>
      <TransactionsPanel answer={found} />
    </>
  );
}

type FiguresProps = { readonly answer: BlockAnswer; readonly confirmations: number; readonly nowMs: number };

function BlockFigures({ answer, confirmations, nowMs }: FiguresProps): JSX.Element {
  const { block, feesSats, subsidySats } = answer;
  return (
    <Figures
      facts={[
        { label: 'Height', value: format.count(block.height), field: 'block-height' },
        { label: 'Confirmations', value: confirmations < 0 ? 'none' : format.count(confirmations) },
        { label: 'Age', value: format.duration(nowMs - block.time * 1000) },
        { label: 'Transactions', value: format.count(block.nTx), field: 'block-txs' },
        { label: 'Weight', value: format.withPrefix(block.weight, 'WU'), note: format.bytes(block.size) },
        {
          label: 'Fees',
          value: feesSats === null ? 'not known' : format.bitcoins(feesSats),
          note: `and ${format.bitcoins(subsidySats)} BTC subsidy`,
        },
      ]}
    />
  );
}

function HeaderPanel({ answer: { block } }: { readonly answer: BlockAnswer }): JSX.Element {
  const { previousblockhash: previous, nextblockhash: next } = block;
  return (
    <Panel title="Header">
      <Facts
        facts={[
          { label: 'Hash', value: <code class="breaks">{block.hash}</code>, field: 'block-hash' },
          { label: 'Previous', value: previous ? <BlockLink hash={previous} /> : 'none: the first block' },
          { label: 'Next', value: next ? <BlockLink hash={next} /> : 'none yet' },
          { label: 'Time', value: format.dateTime(block.time * 1000) },
          { label: 'Median time', value: format.dateTime(block.mediantime * 1000) },
          { label: 'Merkle root', value: <code class="breaks">{block.merkleroot}</code> },
          { label: 'Version', value: `0x${block.versionHex}` },
          { label: 'Bits, nonce', value: `${block.bits}, ${block.nonce}` },
          { label: 'Chain work', value: <code class="breaks">{block.chainwork.replace(/^0+/, '') || '0'}</code> },
        ]}
      />
    </Panel>
  );
}

type AnnouncementsProps = { readonly announcements: readonly BlockAnnouncement[] };

function AnnouncementsPanel({ announcements }: AnnouncementsProps): JSX.Element {
  return (
    <Panel title="Who told of it" aside={announcements.length > 0 && format.plural(announcements.length, 'peer')}>
      {announcements.length === 0 && (
        <p class="quiet">Not known: it was made or fetched here, or is of before this start.</p>
      )}
      <Delays announcements={announcements} isTall={true} />
    </Panel>
  );
}

function TransactionsPanel({ answer }: { readonly answer: BlockAnswer }): JSX.Element {
  const { block, page, pageCount, transactions } = answer;
  return (
    <Panel title="Transactions" aside={pageCount > 1 && `page ${page + 1} of ${pageCount}`}>
      <ScrollBox label="Table of transactions">
        <table>
          <thead>
            <tr>
              <th scope="col">Transaction</th>
              <th scope="col" class="end">
                Inputs
              </th>
              <th scope="col" class="end">
                Outputs
              </th>
              <th scope="col" class="end">
                Size
              </th>
              <th scope="col" class="end">
                Amount, BTC
              </th>
              <th scope="col" class="end">
                Fee, sat
              </th>
              <th scope="col" class="end">
                sat/vB
              </th>
            </tr>
          </thead>
          <tbody>{transactions.map((tx) => transactionRow(tx, block.hash))}</tbody>
        </table>
      </ScrollBox>
      {pageCount > 1 && (
        <nav class="pages" aria-label="Pages of transactions">
          {page > 0 && <a href={blockPath(block.hash, page - 1)}>Previous page</a>}
          {page + 1 < pageCount && <a href={blockPath(block.hash, page + 1)}>Next page</a>}
        </nav>
      )}
    </Panel>
  );
}

function transactionRow(tx: BlockTx, block: string): JSX.Element {
  const { txid, isCoinbase, inputCount, outputCount, vsizeBytes, outputSats, feeSats } = tx;
  return (
    <tr key={txid}>
      <th scope="row">
        <TxLink txid={txid} block={block} /> {isCoinbase && <span class="tag">coinbase</span>}
      </th>
      <td class="number end">{isCoinbase ? '–' : format.count(inputCount)}</td>
      <td class="number end">{format.count(outputCount)}</td>
      <td class="number end">{format.count(vsizeBytes)} vB</td>
      <td class="number end">{format.bitcoins(outputSats)}</td>
      <td class="number end">{feeSats === null ? '–' : format.count(feeSats)}</td>
      <td class="number end">{feeSats === null ? '–' : format.feerate(feeSats / vsizeBytes)}</td>
    </tr>
  );
}

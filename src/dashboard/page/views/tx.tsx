/** One transaction: where it is, what it spends and whom it pays. */
import type { ComponentChildren, JSX } from 'preact';
import type { RpcInput, RpcOutput, TxAnswer } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import * as format from '../format.ts';
import { Failure } from '../parts/failure.tsx';
import { BlockLink, TxLink } from '../parts/links.tsx';
import { Facts, Figures, Panel } from '../parts/panel.tsx';
import type { ViewProps } from '../view-props.ts';

type TxViewProps = ViewProps & { readonly id: string; readonly block: string };

export function TxView({ id, block, feed, nowMs }: TxViewProps): JSX.Element {
  const where = block === '' ? '' : `?block=${encodeURIComponent(block)}`;
  const answer = useAnswer<TxAnswer>(`/api/tx/${encodeURIComponent(id)}${where}`, feed.overview.tip.hash);
  if (answer.kind !== 'answer') return <Failure answer={answer} />;
  const found = answer.value;
  const { tx, feeSats, inputCount, outputCount } = found;
  const confirmations = found.block === null ? 0 : feed.overview.tip.height - found.block.height + 1;
  return (
    <>
      <Figures
        facts={[
          {
            label: 'State',
            value: found.block === null ? 'waiting' : `${format.count(confirmations)} deep`,
            note: found.block === null ? 'in the mempool' : 'confirmed',
            field: 'tx-state',
          },
          { label: 'Size', value: `${format.count(tx.vsize)} vB`, note: `${format.count(tx.weight)} WU` },
          { label: 'Fee', value: feeSats === null ? '–' : `${format.count(feeSats)} sat` },
          { label: 'Fee rate', value: feeSats === null ? '–' : format.feerate(feeSats / tx.vsize), note: 'sat/vB' },
          {
            label: 'Pays',
            value: format.bitcoins(tx.vout.reduce((sum, { value }) => sum + format.satsOf(value), 0)),
            note: tx.vout.length < outputCount ? `BTC, first ${tx.vout.length} outputs` : 'BTC',
          },
        ]}
      />
      <div class="columns">
        <PartsPanel title="Inputs" shown={tx.vin.length} all={inputCount}>
          {tx.vin.map(inputItem)}
        </PartsPanel>
        <PartsPanel title="Outputs" shown={tx.vout.length} all={outputCount}>
          {tx.vout.map(outputItem)}
        </PartsPanel>
        <PlacePanel answer={found} nowMs={nowMs} />
      </div>
    </>
  );
}

type PartsProps = {
  readonly title: string;
  readonly shown: number;
  readonly all: number;
  readonly children: ComponentChildren;
};

function PartsPanel({ title, shown, all, children }: PartsProps): JSX.Element {
  return (
    <Panel title={title} aside={shown < all ? `first ${shown} of ${format.count(all)}` : format.count(all)}>
      <ol class="parts">{children}</ol>
    </Panel>
  );
}

function inputItem(input: RpcInput, at: number): JSX.Element {
  const { txid, vout, prevout, coinbase } = input;
  return (
    <li key={at}>
      {txid === undefined ? <span>new coins</span> : <SpentCoin txid={txid} vout={vout ?? 0} />}
      {prevout !== undefined && <span class="number amount">{prevout.value.toFixed(8)}</span>}
      <code class="breaks quiet">{prevout?.scriptPubKey.address ?? prevout?.scriptPubKey.type ?? coinbase ?? ''}</code>
    </li>
  );
}

function SpentCoin({ txid, vout }: { readonly txid: string; readonly vout: number }): JSX.Element {
  return (
    <span>
      <TxLink txid={txid} />
      <span class="number">:{vout}</span>
    </span>
  );
}

function outputItem({ value, n, scriptPubKey }: RpcOutput): JSX.Element {
  const { type, address, asm } = scriptPubKey;
  return (
    <li key={n}>
      <span>
        <span class="number">{n}</span> <span class="tag">{type}</span>
      </span>
      <span class="number amount">{value.toFixed(8)}</span>
      <code class="breaks quiet">{address ?? asm.slice(0, 200)}</code>
    </li>
  );
}

function PlacePanel({ answer, nowMs }: { readonly answer: TxAnswer; readonly nowMs: number }): JSX.Element {
  const { tx, block, mempool } = answer;
  const links = (txids: readonly string[]): ComponentChildren =>
    txids.length === 0 ? 'none' : txids.map((txid) => <TxLink key={txid} txid={txid} />);
  const place =
    block !== null
      ? [
          { label: 'Block', value: <BlockLink hash={block.hash} />, note: `height ${format.count(block.height)}` },
          { label: 'Time', value: format.dateTime(block.timeSeconds * 1000) },
        ]
      : mempool !== null
        ? [
            { label: 'Entered', value: format.ago(mempool.enteredAtMs, nowMs) },
            { label: 'Ancestors, descendants', value: `${mempool.ancestorCount}, ${mempool.descendantCount}` },
            { label: 'Replaceable', value: mempool.isReplaceable ? 'yes' : 'no' },
            { label: 'Spends from', value: links(mempool.depends) },
            { label: 'Spent by', value: links(mempool.spentBy) },
          ]
        : [];
  return (
    <Panel title="Details">
      <Facts
        facts={[
          ...place,
          { label: 'Witness id', value: <code class="breaks">{tx.hash}</code> },
          { label: 'Version, lock time', value: `${tx.version}, ${tx.locktime}` },
        ]}
      />
    </Panel>
  );
}

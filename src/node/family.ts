/**
 * A child and all of its unconfirmed parents that the own user brings together (Core's submitpackage). The mempool judges
 * one parent and its child as a package; of several parents, all but one must pay for themselves.
 */
import type { DryRun, Mempool, MempoolVerdict } from '#mempool';
import type { Transaction } from '#primitives';

/** The child stands last. */
export async function submitFamily(
  mempool: Pick<Mempool, 'submit' | 'submitPackage'>,
  txs: readonly Transaction[],
): Promise<DryRun> {
  const parents = txs.slice(0, -1);
  const verdicts = await submitInTurn(mempool, parents);
  const child = txs.at(-1);
  if (child === undefined) return { verdicts };
  const poor = parents.filter((_, at) => needsHelp(verdicts[at]));
  const [parent] = poor;
  if (parent === undefined || poor.length > 1) return settled([...verdicts, await mempool.submit(child, 'local')]);
  const besides = parents.filter((each) => each !== parent).map(({ txid }) => txid);
  const together = await mempool.submitPackage(parent, child, 'local', besides);
  const all = [...verdicts.with(parents.indexOf(parent), together.parent), together.child];
  return together.failure === undefined ? settled(all) : { failure: together.failure, verdicts: all };
}

async function submitInTurn(
  mempool: Pick<Mempool, 'submit'>,
  txs: readonly Transaction[],
): Promise<readonly (MempoolVerdict | undefined)[]> {
  const verdicts: MempoolVerdict[] = [];
  for (const tx of txs) verdicts.push(await mempool.submit(tx, 'local'));
  return verdicts;
}

function needsHelp(verdict: MempoolVerdict | undefined): boolean {
  return verdict?.kind === 'policy' && verdict.reconsiderable === true;
}

function settled(verdicts: DryRun['verdicts']): DryRun {
  const areIn = verdicts.every((verdict) => verdict?.kind === 'accepted' || verdict?.kind === 'duplicate');
  return areIn ? { verdicts } : { failure: { code: 'transaction failed' }, verdicts };
}

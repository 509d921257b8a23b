/**
 * A child and all of its unconfirmed parents that the own user brings together (Core's submitpackage). Parents that pay for
 * themselves go first; the others and the child are judged together.
 */
import type { DryRun, Mempool, MempoolVerdict } from '#mempool';
import type { Transaction } from '#primitives';

/** The child stands last. */
export async function submitFamily(
  mempool: Pick<Mempool, 'submit' | 'submitParents'>,
  txs: readonly Transaction[],
): Promise<DryRun> {
  const parents = txs.slice(0, -1);
  const child = txs.at(-1);
  const verdicts = await submitInTurn(mempool, parents);
  if (child === undefined) return { verdicts };
  const poor = parents.filter((_, at) => needsHelp(verdicts[at]));
  if (poor.length === 0) return settled([...verdicts, await mempool.submit(child, 'local')]);
  const besides = parents.filter((each) => !poor.includes(each)).map(({ txid }) => txid);
  const together = await mempool.submitParents(poor, child, besides);
  const ofPoor = (parent: Transaction): MempoolVerdict | undefined => together.verdicts[poor.indexOf(parent)];
  const ofParents = parents.map((parent, at) => (poor.includes(parent) ? ofPoor(parent) : verdicts[at]));
  const all = [...ofParents, together.verdicts.at(-1)];
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

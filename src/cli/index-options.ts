/** The flags of the indexes, with Bitcoin Core's names. */
import { toggle } from './option-row.ts';

export const INDEX_OPTIONS = {
  txindex: toggle({
    flag: 'txindex',
    help: 'keep an index of all transactions by their ids; not with --prune',
    commands: ['node'],
  }),
  blockfilterindex: toggle({
    flag: 'blockfilterindex',
    help: 'keep an index of compact block filters (BIP157, BIP158)',
    commands: ['node'],
  }),
  coinstatsindex: toggle({
    flag: 'coinstatsindex',
    help: 'keep an index of the coins’ figures as of each block',
    commands: ['node'],
  }),
} as const;

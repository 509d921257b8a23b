/** The one list of methods. An area is a file that exports its rows. */
import type { RpcMethod } from '../table/method.ts';
import { BLOCK_STATS_METHODS } from './block-stats.ts';
import { BLOCK_METHODS } from './blocks.ts';
import { CHAIN_CONTROL_METHODS } from './chain-control.ts';
import { CHAIN_INFO_METHODS } from './chain-info.ts';
import { CHAIN_TX_STATS_METHODS } from './chain-tx-stats.ts';
import { COIN_METHODS } from './coins.ts';
import { CONTROL_METHODS } from './control.ts';
import { DEBUG_METHODS } from './debug.ts';
import { DEPLOYMENT_METHODS } from './deployments.ts';
import { FILTER_METHODS } from './filters.ts';
import { REGTEST_METHODS } from './regtest.ts';
import { SCAN_METHODS } from './scan.ts';
import { TX_PROOF_METHODS } from './tx-proof.ts';
import { WAIT_METHODS } from './wait.ts';

export const RPC_METHODS: readonly RpcMethod[] = [
  ...BLOCK_METHODS,
  ...BLOCK_STATS_METHODS,
  ...CHAIN_CONTROL_METHODS,
  ...CHAIN_INFO_METHODS,
  ...CHAIN_TX_STATS_METHODS,
  ...COIN_METHODS,
  ...CONTROL_METHODS,
  ...DEBUG_METHODS,
  ...DEPLOYMENT_METHODS,
  ...FILTER_METHODS,
  ...REGTEST_METHODS,
  ...SCAN_METHODS,
  ...TX_PROOF_METHODS,
  ...WAIT_METHODS,
];

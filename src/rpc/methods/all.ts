/** The one list of methods. An area is a file that exports its rows. */
import type { RpcMethod } from '../table/method.ts';
import { BAN_METHODS } from './bans.ts';
import { BLOCK_STATS_METHODS } from './block-stats.ts';
import { BLOCK_TEMPLATE_METHODS } from './block-template.ts';
import { BLOCK_METHODS } from './blocks.ts';
import { CHAIN_CONTROL_METHODS } from './chain-control.ts';
import { CHAIN_INFO_METHODS } from './chain-info.ts';
import { CHAIN_TX_STATS_METHODS } from './chain-tx-stats.ts';
import { COIN_METHODS } from './coins.ts';
import { CONTROL_METHODS } from './control.ts';
import { DEBUG_METHODS } from './debug.ts';
import { DECODE_SCRIPT_METHODS } from './decode-script.ts';
import { DEPLOYMENT_METHODS } from './deployments.ts';
import { FEE_METHODS } from './fees.ts';
import { FILTER_METHODS } from './filters.ts';
import { GENERATE_METHODS } from './generate.ts';
import { MEMPOOL_METHODS } from './mempool.ts';
import { MEMPOOL_CONTROL_METHODS } from './mempool-control.ts';
import { MESSAGE_METHODS } from './messages.ts';
import { MINING_INFO_METHODS } from './mining-info.ts';
import { NETWORK_METHODS } from './network.ts';
import { OUTPUT_SCRIPT_METHODS } from './output-scripts.ts';
import { PEER_METHODS } from './peers.ts';
import { PSBT_METHODS } from './psbt.ts';
import { PSBT_UPDATE_METHODS } from './psbt-update.ts';
import { RAW_TRANSACTION_METHODS } from './raw-transactions.ts';
import { REGTEST_METHODS } from './regtest.ts';
import { SCAN_METHODS } from './scan.ts';
import { SCAN_BLOCKS_METHODS } from './scan-blocks.ts';
import { SEND_METHODS } from './send-transactions.ts';
import { SIGN_RAW_METHODS } from './sign-raw.ts';
import { SUBMIT_BLOCK_METHODS } from './submit-block.ts';
import { TX_PROOF_METHODS } from './tx-proof.ts';
import { WAIT_METHODS } from './wait.ts';
import { ZMQ_METHODS } from './zmq.ts';

export const RPC_METHODS: readonly RpcMethod[] = [
  ...BAN_METHODS,
  ...BLOCK_METHODS,
  ...BLOCK_STATS_METHODS,
  ...BLOCK_TEMPLATE_METHODS,
  ...CHAIN_CONTROL_METHODS,
  ...CHAIN_INFO_METHODS,
  ...CHAIN_TX_STATS_METHODS,
  ...COIN_METHODS,
  ...CONTROL_METHODS,
  ...DEBUG_METHODS,
  ...DECODE_SCRIPT_METHODS,
  ...DEPLOYMENT_METHODS,
  ...FEE_METHODS,
  ...FILTER_METHODS,
  ...GENERATE_METHODS,
  ...MEMPOOL_CONTROL_METHODS,
  ...MEMPOOL_METHODS,
  ...MESSAGE_METHODS,
  ...MINING_INFO_METHODS,
  ...NETWORK_METHODS,
  ...OUTPUT_SCRIPT_METHODS,
  ...PEER_METHODS,
  ...PSBT_METHODS,
  ...PSBT_UPDATE_METHODS,
  ...RAW_TRANSACTION_METHODS,
  ...REGTEST_METHODS,
  ...SCAN_BLOCKS_METHODS,
  ...SCAN_METHODS,
  ...SEND_METHODS,
  ...SIGN_RAW_METHODS,
  ...SUBMIT_BLOCK_METHODS,
  ...TX_PROOF_METHODS,
  ...WAIT_METHODS,
  ...ZMQ_METHODS,
];

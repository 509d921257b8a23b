/** The one list of methods. An area is a file that exports its rows. */
import type { RpcMethod } from '../table/method.ts';
import { BLOCKCHAIN_METHODS } from './blockchain.ts';
import { CONTROL_METHODS } from './control.ts';

export const RPC_METHODS: readonly RpcMethod[] = [...BLOCKCHAIN_METHODS, ...CONTROL_METHODS];

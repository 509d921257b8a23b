/** What a call can fail with: Core's RPCErrorCode (rpc/protocol.h). */

export const RpcCode = Object.freeze({
  misc: -1,
  typeError: -3,
  invalidAddressOrKey: -5,
  outOfMemory: -7,
  invalidParameter: -8,
  clientNotConnected: -9,
  clientInInitialDownload: -10,
  walletNotFound: -18,
  databaseError: -20,
  deserialization: -22,
  nodeAlreadyAdded: -23,
  nodeNotAdded: -24,
  verifyError: -25,
  verifyRejected: -26,
  verifyAlreadyInUtxoSet: -27,
  inWarmup: -28,
  nodeNotConnected: -29,
  invalidIpOrSubnet: -30,
  p2pDisabled: -31,
  methodDeprecated: -32,
  mempoolDisabled: -33,
  invalidRequest: -32600,
  invalidParams: -32602,
  methodNotFound: -32601,
  internalError: -32603,
  parseError: -32700,
});

export type RpcCode = (typeof RpcCode)[keyof typeof RpcCode];

/** The answer to a call that failed. Handlers throw it; its message is for whoever called. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcCode;

  constructor(code: RpcCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function invalidParameter(message: string): RpcError {
  return new RpcError(RpcCode.invalidParameter, message);
}

/** What a call hears whose node stops (Core's RpcInterruptionPoint). */
export function shuttingDown(): RpcError {
  return new RpcError(RpcCode.clientNotConnected, 'Shutting down');
}

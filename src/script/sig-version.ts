/** Which script language and signature hash apply (Core's SigVersion), and what tapscript adds to an execution. */
export const SigVersion = Object.freeze({
  /** Bare scripts and P2SH. */
  BASE: 0,
  /** BIP141 and BIP143. */
  WITNESS_V0: 1,
  /** BIP341 key path: a signature hash, no script. */
  TAPROOT: 2,
  /** BIP342. */
  TAPSCRIPT: 3,
} as const);

export type SigVersion = (typeof SigVersion)[keyof typeof SigVersion];
export type ScriptSigVersion = Exclude<SigVersion, typeof SigVersion.TAPROOT>;

/** Core's ScriptExecutionData: filled before the script runs, changed by it, read by the signature hash. */
export type TaprootContext = {
  /** SHA-256 of the serialised annex, if the witness has one. */
  readonly annexHash: Uint8Array | undefined;
  /** BIP341 hash of the leaf that runs; absent on the key path. */
  readonly leafHash: Uint8Array | undefined;
  /** Index (in instructions) of the last executed OP_CODESEPARATOR, 0xffffffff before any. */
  codeSeparatorPosition: number;
  /** BIP342: weight units that further signature checks may use. */
  weightLeft: number;
};

export const NO_CODE_SEPARATOR = 0xffffffff;

export { createInlineVerifier, type InlineVerifierOptions } from './inline.ts';
export { createPoolVerifier, type PoolVerifierOptions } from './pool.ts';
export type { ScriptFailure, ScriptJob, ScriptVerifier } from './port.ts';

export { type CachedVerifier, createCachedVerifier, createVerifier } from './create-verifier.ts';
export { createInlineVerifier, type InlineVerifierOptions } from './inline.ts';
export { createPoolVerifier, type PoolVerifierOptions } from './pool.ts';
export type { ScriptFailure, ScriptJob, ScriptVerifier, VerifyOptions } from './port.ts';
export { ScriptCache, withScriptCache } from './script-cache.ts';

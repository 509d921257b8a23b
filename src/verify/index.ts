export { createInlineVerifier, type InlineVerifierOptions } from './inline.ts';
export type { ScriptFailure, ScriptJob, ScriptVerifier } from './port.ts';

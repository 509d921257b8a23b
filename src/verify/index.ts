export type { ScriptFailure, ScriptJob, ScriptVerifier } from './port.ts';

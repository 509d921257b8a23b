/** The verdicts of policy, in one line each. */
import type { MempoolVerdict } from './port.ts';

export type PolicyVerdict = Extract<MempoolVerdict, { kind: 'policy' }>;

export function policy(code: string, debug?: string): PolicyVerdict {
  return debug === undefined ? { kind: 'policy', code } : { kind: 'policy', code, debug };
}

/** The fee alone was too low: with a child that pays it may be taken (Core's TX_RECONSIDERABLE). */
export function reconsiderable(code: string, debug?: string): PolicyVerdict {
  return { ...policy(code, debug), reconsiderable: true };
}

/** The one thing that sync wants to know of a failed exchange. */

/** True if the network gave up because the peer sent nothing for too long (RequestError, NodeError: `TIMEOUT`). */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'TIMEOUT';
}

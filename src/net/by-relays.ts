/** A place to listen at: relays alone, from the start. */
export const BY_RELAYS = '/p2p-circuit';

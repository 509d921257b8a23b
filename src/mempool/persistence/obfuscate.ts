/** The obfuscation of mempool.dat: keeps virus scanners off what strangers put into transactions; it hides nothing. */

export const OBFUSCATION_KEY_BYTES = 8;

/** XORs `bytes` in place; `offset`: where they stand in the file. Doing it twice undoes it. An empty key does nothing. */
export function obfuscate(bytes: Uint8Array, offset: number, key: Uint8Array): void {
  if (key.length === 0) return;
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (key[(offset + at) % key.length] ?? 0);
  }
}

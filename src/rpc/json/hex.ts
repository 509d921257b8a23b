/** Core's IsHex: hex digits of whole bytes, at least one. A captured pair that repeats would exhaust the stack on a large block. */
export function isHex(text: string): boolean {
  return text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text);
}

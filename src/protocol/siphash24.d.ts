/** SipHash-2-4 in WebAssembly; the package carries no types. The key has 16 bytes, the result 8, little endian. */
declare module 'siphash24' {
  function siphash24(input: Uint8Array, key: Uint8Array, out?: Uint8Array, skipChecks?: boolean): Uint8Array;
  export = siphash24;
}

/** Yamux frames by hand, for tests that send what no library would. */

const TYPES = { data: 0, 'window-update': 1, ping: 2, 'go-away': 3 } as const;
const FLAGS = { SYN: 1, ACK: 2, FIN: 4, RST: 8 } as const;

export type YamuxFrame = {
  readonly type: keyof typeof TYPES;
  readonly flags?: readonly (keyof typeof FLAGS)[];
  readonly streamId?: number;
  /** Default: that of the data. */
  readonly length?: number;
  readonly data?: Uint8Array;
};

export function yamuxFrame({ type, flags = [], streamId = 0, data, length = data?.length ?? 0 }: YamuxFrame): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(TYPES[type], 1);
  head.writeUInt16BE(
    flags.reduce((sum, flag) => sum | FLAGS[flag], 0),
    2,
  );
  head.writeUInt32BE(streamId, 4);
  head.writeUInt32BE(length, 8);
  return data === undefined ? head : Buffer.concat([head, data]);
}

export function frames(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

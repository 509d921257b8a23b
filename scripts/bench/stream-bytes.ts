/**
 * Bytes that the nodes of this process received, by protocol: what streams carry, without frames of yamux, Noise and TCP.
 * Counted in yamux itself, whose class of streams the package does not export: who reads a stream must not be disturbed,
 * and the node has no use for these counts.
 */
type Frame = { readonly data: { readonly byteLength: number } };
type StreamClass = { readonly prototype: { readonly protocol: string; handleData: (frame: Frame) => void } };

/** `compact`, `meshsub`, `kad` …: the name in a protocol id, with version, network and `/kept` left out. */
function nameOf(protocol: string): string {
  const [first = '', , third = ''] = protocol.split('/').slice(1);
  if (first === 'starling') return third;
  return protocol === '' ? 'negotiation' : protocol.split('/').slice(1, -2).join('/') || first;
}

/** To be called before there are streams. Gives what reads the counts. */
export async function countStreamBytes(): Promise<() => Readonly<Record<string, number>>> {
  const file = new URL('stream.js', import.meta.resolve('@chainsafe/libp2p-yamux'));
  const { YamuxStream } = (await import(file.href)) as { readonly YamuxStream: StreamClass };
  const bytes = new Map<string, number>();
  const { prototype } = YamuxStream;
  const handle = prototype.handleData;
  prototype.handleData = function (this: StreamClass['prototype'], frame) {
    const name = nameOf(this.protocol);
    bytes.set(name, (bytes.get(name) ?? 0) + frame.data.byteLength);
    handle.call(this, frame);
  };
  return () => Object.fromEntries(bytes);
}

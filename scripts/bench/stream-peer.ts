/** A process of the `stream` benchmark: sender or receiver of one transport. */
import { cpuMs, timed } from './benchmark.ts';
import { servePeer } from './peer-process.ts';
import { type Order, type Receiver, type Sender, TRANSPORTS, type TransportName } from './stream-transports.ts';

let sender: Sender | undefined;
let receiver: Receiver | undefined;

servePeer(
  {
    listen: async (transport: TransportName) => {
      sender = await TRANSPORTS[transport].listen();
      return sender.address;
    },
    connect: async ({ transport, address }: { readonly transport: TransportName; readonly address: string }) => {
      receiver = await TRANSPORTS[transport].connect(address);
    },
    receive: async (order: Order) => {
      let bytes = 0;
      const times = await timed(async () => {
        bytes = (await receiver?.receive(order)) ?? 0;
      });
      return { ...times, bytes };
    },
    cpuMs,
  },
  async () => {
    await receiver?.[Symbol.asyncDispose]();
    await sender?.[Symbol.asyncDispose]();
  },
);

/** What is published by ZMQ: getzmqnotifications. */
import type { RpcMethod } from '../table/method.ts';
import { result } from '../table/result.ts';

export const ZMQ_METHODS: readonly RpcMethod[] = [
  {
    name: 'getzmqnotifications',
    category: 'zmq',
    about: 'Returns information about the active ZeroMQ notifications.',
    params: [],
    results: [
      result.array('', '', [
        result.object('', '', [
          result.string('type', 'Type of notification'),
          result.string('address', 'Address of the publisher'),
          result.number('hwm', 'Outbound message high water mark'),
        ]),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: ({ zmqNotifications }) => zmqNotifications,
  },
];

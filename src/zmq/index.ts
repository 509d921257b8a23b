export { startZmq, type ZmqNotification, type ZmqOptions, type ZmqServer } from './start-zmq.ts';

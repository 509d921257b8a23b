/** What other listeners of a node are made of besides the parts of this one: leaves the module as `serving`. */
export { BlockNews } from './events/block-news.ts';
export { type EventReader, EventReaders, eventText } from './events/event-readers.ts';
export { streamEvents } from './http/event-stream.ts';
export { closeNow, endAnswer, listenOn, openServer } from './http/listening.ts';
export { WorkQueue } from './http/work-queue.ts';

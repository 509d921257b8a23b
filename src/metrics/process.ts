/**
 * What Prometheus' clients say of every Node.js process: CPU, memory, garbage collection, delay of the event loop (since the
 * last scrape), open files. One registry for the process, however many nodes it runs, made when it is first asked for:
 * what prom-client listens with cannot be taken off again.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

export function processMetrics(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}

/**
 * What Prometheus' clients say of every Node.js process: CPU, memory, garbage collection, delay of the event loop (since the
 * last scrape), open files. One registry for the process, however many nodes it runs, made when it is first asked for:
 * what prom-client listens with cannot be taken off again.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';

/** Gauges with the ending of counters, which Prometheus' own check objects to. The same are there by type. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

let registry: Registry | undefined;

export function processMetrics(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  return registry.metrics();
}

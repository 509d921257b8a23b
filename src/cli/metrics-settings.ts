/** From flags to the listener for Prometheus. */
import type { MetricsServer } from '#metrics';
import { parseEndpoint } from '#rpc';
import { type Logger, systemClock } from '#util';
import type { Settings } from './options.ts';

const DEFAULT_PORT = 9332;

/** Undefined where none is wanted; its packages are loaded only then. Throws NodeError. */
export async function startNodeMetrics(
  { metrics, metricsAllowHost }: Pick<Settings, 'metrics' | 'metricsAllowHost'>,
  log: Logger,
): Promise<MetricsServer | undefined> {
  if (metrics === undefined) return undefined;
  const endpoint = parseEndpoint(metrics, DEFAULT_PORT, '--metrics');
  const { startMetrics } = await import('#metrics');
  return startMetrics({ endpoint, allowHosts: metricsAllowHost }, { clock: systemClock, log: log.child('metrics') });
}

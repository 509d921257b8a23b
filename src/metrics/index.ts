export { type MetricsServer, startMetrics } from './server.ts';

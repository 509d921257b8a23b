export type { LogLine } from './contract.ts';
export type { Answer, DashboardSource, Explorer, LogSource, Tell, Watch } from './port.ts';
export { type DashboardOptions, type DashboardServer, serveDashboard, startDashboard } from './server.ts';

/** Flags of the figures for Prometheus. Rows of the one table in `options.ts`. */
import { list, single } from './option-row.ts';
import { nonEmpty } from './values.ts';

export const METRICS_OPTIONS = {
  metrics: single({
    flag: 'metrics',
    value: 'ADDR',
    help: 'answer /metrics (for Prometheus), /live and /ready on this IP address, with or without a port (9332); no login',
    commands: ['node'],
    parse: nonEmpty,
    default: undefined,
    defaultText: 'off',
  }),
  metricsAllowHost: list({
    flag: 'metrics-allow-host',
    value: 'NAME',
    help: 'answer there under this host name, beside IP addresses and localhost; may be repeated',
    commands: ['node'],
    parse: nonEmpty,
    default: [],
  }),
};

/** Flags of the dashboard. Rows of the one table in `options.ts`. */
import { list, single } from './option-row.ts';
import { nonEmpty } from './values.ts';

export const DASHBOARD_OPTIONS = {
  dashboard: single({
    flag: 'dashboard',
    value: 'ADDR',
    help: 'show the node to browsers at this IP address, with or without a port; read-only, no login; "off" for none',
    commands: ['node'],
    parse: nonEmpty,
    default: undefined,
    defaultText: 'loopback, the port behind the RPC server’s, if there is one',
  }),
  dashboardAllowHost: list({
    flag: 'dashboard-allow-host',
    value: 'NAME',
    help: 'show it under this host name too, beside IP addresses and localhost; may be repeated',
    commands: ['node'],
    parse: nonEmpty,
    default: [],
  }),
};

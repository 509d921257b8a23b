/** From flags to the dashboard of a node. */
import { type DashboardServer, type LogSource, startDashboard } from '#dashboard';
import type { StarlingNode } from '#node';
import { parseEndpoint } from '#rpc';
import { type Clock, type Logger, systemClock } from '#util';
import type { Settings } from './options.ts';
import { defaultRpcPort, isTaken } from './rpc-settings.ts';

const LOOPBACK = '127.0.0.1';
const MAX_PORT = 65_535;

export type DashboardDeps = {
  readonly log: Logger;
  readonly logs: LogSource;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
};

/** `rpcAddress`: where calls are answered, if they are. Undefined where no dashboard is wanted. Throws NodeError. */
export async function startNodeDashboard(
  node: StarlingNode,
  { dashboard, dashboardAllowHost }: Pick<Settings, 'dashboard' | 'dashboardAllowHost'>,
  rpcAddress: string | undefined,
  deps: DashboardDeps,
): Promise<DashboardServer | undefined> {
  if (dashboard === 'off') return undefined;
  const port = portBehind(rpcAddress, node);
  if (dashboard !== undefined) {
    return start(node, parseEndpoint(dashboard, port, '--dashboard'), dashboardAllowHost, deps);
  }
  if (rpcAddress === undefined) return undefined;
  try {
    return await start(node, { host: LOOPBACK, port }, dashboardAllowHost, deps);
  } catch (error) {
    // On most networks it is the port on which Bitcoin Core listens for peers.
    if (!isTaken(error)) throw error;
    deps.log.warn('the port behind the RPC port is taken by another program, so the dashboard is on a free one', {
      port,
    });
    return start(node, { host: LOOPBACK, port: 0 }, dashboardAllowHost, deps);
  }
}

/** On loopback, at any free port, for a node of the devnet. */
export function startLocalDashboard(node: StarlingNode, deps: DashboardDeps): Promise<DashboardServer> {
  return start(node, { host: LOOPBACK, port: 0 }, [], deps);
}

function start(
  node: StarlingNode,
  endpoint: ReturnType<typeof parseEndpoint>,
  allowHosts: readonly string[],
  { clock = systemClock, log, logs }: DashboardDeps,
): Promise<DashboardServer> {
  return startDashboard(node, { endpoint, allowHosts }, { clock, log: log.child('dashboard'), logs });
}

/** A free one where neither a server nor the network has a port. */
function portBehind(rpcAddress: string | undefined, node: StarlingNode): number {
  const rpcPort = rpcAddress === undefined ? defaultRpcPort(node.chain.params) : Number(/\d+$/.exec(rpcAddress)?.[0]);
  return rpcPort === undefined || rpcPort >= MAX_PORT ? 0 : rpcPort + 1;
}

/**
 * A small internet of Linux network namespaces: hosts on networks of their own with public addresses, a router between
 * them, and hosts behind routers that masquerade (nftables). Needs root, `ip` and `nft`; `whyNot` says what is missing.
 * Everything has this process's number in its name and is taken away when disposed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import process from 'node:process';

export type Host = {
  /** Of the namespace. */
  readonly name: string;
  readonly ip4: string;
  /** Undefined behind a NAT. */
  readonly ip6: string | undefined;
};

function run(...[program = '', ...args]: readonly string[]): string {
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}

/** Why namespaces cannot be had here; undefined if they can. */
export function whyNot(): string | undefined {
  const name = `st${process.pid}-try`;
  try {
    run('ip', 'netns', 'add', name);
  } catch {
    return 'ip netns is not there or not permitted';
  }
  try {
    inside(name, 'nft', 'add', 'table', 'inet', 'try');
    return undefined;
  } catch {
    return 'nft is not there or not permitted';
  } finally {
    run('ip', 'netns', 'del', name);
  }
}

/** Takes away what a test left that was killed. */
function sweep(): void {
  for (const name of run('ip', 'netns', 'list').matchAll(/^st(\d+)-\S+/gm)) {
    try {
      process.kill(Number(name[1]), 0);
    } catch {
      run('ip', 'netns', 'del', name[0]);
    }
  }
}

function inside(namespace: string, ...command: readonly string[]): string {
  return run('ip', 'netns', 'exec', namespace, ...command);
}

export class NetworkLab implements Disposable {
  readonly #prefix = `st${process.pid}-`;
  readonly #names: string[] = [];
  readonly #router: string;
  #networks = 0;

  constructor() {
    sweep();
    this.#router = this.#add('r');
    this.#forward(this.#router);
    inside(this.#router, 'nft', 'add', 'table', 'inet', 'lab');
    inside(this.#router, 'nft', 'add chain inet lab forward { type filter hook forward priority 0 ; }');
    inside(this.#router, 'nft', 'add chain inet lab input { type filter hook input priority 0 ; }');
  }

  /** The middle of it. Its address is in the network of the first host. */
  get router(): Host {
    return { name: this.#router, ip4: '11.1.0.1', ip6: '2a11::1' };
  }

  /** A host on a network of its own (another /16, another IPv6 /32). */
  host(label: string): Host {
    this.#networks += 1;
    const n = this.#networks;
    const name = this.#add(label);
    const [near, far] = [`v${n}`, 'eth0'];
    this.#join({ name: this.#router, device: near }, { name, device: far });
    this.#address(this.#router, near, `11.${n}.0.1/24`, `2a1${n}::1/64`);
    this.#address(name, far, `11.${n}.0.2/24`, `2a1${n}::2/64`);
    inside(name, 'ip', 'route', 'add', 'default', 'via', `11.${n}.0.1`);
    inside(name, 'ip', '-6', 'route', 'add', 'default', 'via', `2a1${n}::1`);
    return { name, ip4: `11.${n}.0.2`, ip6: `2a1${n}::2` };
  }

  /** A host with a private address. Its router lets nothing in that was not asked for, and does not answer to it. */
  hostBehindNat(label: string): Host {
    const nat = this.host(`${label}n`);
    const n = this.#networks;
    const name = this.#add(label);
    this.#join({ name: nat.name, device: 'lan' }, { name, device: 'eth0' });
    this.#address(nat.name, 'lan', `192.168.${n}.1/24`);
    this.#address(name, 'eth0', `192.168.${n}.2/24`);
    inside(name, 'ip', 'route', 'add', 'default', 'via', `192.168.${n}.1`);
    this.#forward(nat.name);
    inside(nat.name, 'nft', 'add', 'table', 'ip', 'nat');
    inside(nat.name, 'nft', 'add chain ip nat out { type nat hook postrouting priority 100 ; }');
    inside(nat.name, 'nft', 'add', 'rule', 'ip', 'nat', 'out', 'oifname', 'eth0', 'masquerade');
    inside(nat.name, 'nft', 'add chain ip nat in { type filter hook input priority 0 ; }');
    inside(nat.name, 'nft', 'add', 'rule', 'ip', 'nat', 'in', 'iifname', 'eth0', 'ct', 'state', 'new', 'drop');
    return { name, ip4: `192.168.${n}.2`, ip6: undefined };
  }

  /** Cuts a host off from all others; packets vanish, nobody is told. */
  cutOff({ ip4 }: Host): void {
    for (const which of ['saddr', 'daddr']) this.#rule('ip', which, ip4, 'drop');
  }

  /** So many of a hundred packets vanish on their way to or past the router, in either direction. */
  lose(percent: number): void {
    const rule = ['numgen', 'random', 'mod', '100', '<', String(percent), 'drop'];
    for (const chain of ['forward', 'input']) inside(this.#router, 'nft', 'add', 'rule', 'inet', 'lab', chain, ...rule);
  }

  /** Undoes `cutOff` and `lose`. */
  heal(): void {
    inside(this.#router, 'nft', 'flush', 'table', 'inet', 'lab');
  }

  /** Starts a program on a host, with pipes. */
  start({ name }: Host, program: string, args: readonly string[]): ChildProcess {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    return spawn('ip', ['netns', 'exec', name, program, ...args], { stdio: [...stdio] });
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) run('ip', 'netns', 'del', name);
  }

  #add(label: string): string {
    const name = `${this.#prefix}${label}`;
    run('ip', 'netns', 'add', name);
    this.#names.push(name);
    inside(name, 'ip', 'link', 'set', 'lo', 'up');
    return name;
  }

  #join(near: { name: string; device: string }, far: { name: string; device: string }): void {
    const peer = ['peer', 'name', far.device, 'netns', far.name];
    run('ip', '-n', near.name, 'link', 'add', near.device, 'type', 'veth', ...peer);
    run('ip', '-n', near.name, 'link', 'set', near.device, 'up');
    run('ip', '-n', far.name, 'link', 'set', far.device, 'up');
  }

  #address(name: string, device: string, ip4: string, ip6?: string): void {
    run('ip', '-n', name, 'addr', 'add', ip4, 'dev', device);
    // Without duplicate detection: the address can be used at once.
    if (ip6 !== undefined) run('ip', '-n', name, '-6', 'addr', 'add', ip6, 'dev', device, 'nodad');
  }

  #forward(name: string): void {
    inside(name, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
  }

  #rule(...words: readonly string[]): void {
    inside(this.#router, 'nft', 'add', 'rule', 'inet', 'lab', 'forward', ...words);
  }
}

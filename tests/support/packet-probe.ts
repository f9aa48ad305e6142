import { execute, type Host, type World } from '@warren/netlab';

/** Runs `nft -f -` in a namespace of the lab. */
async function loadRules(namespace: string, rules: string): Promise<void> {
  const { code, stderr } = await execute('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: rules });
  if (code !== 0) throw new Error(`nft: ${stderr}\n${rules}`);
}

/**
 * Counts packets on a host by rules of nftables: each name stands for what a packet has to match. Counting begins anew
 * with each call.
 */
export async function countPackets(
  host: Host,
  hook: 'input' | 'output',
  matches: Readonly<Record<string, string>>,
): Promise<() => Promise<Record<string, number>>> {
  const names = Object.keys(matches);
  const rules = [
    'add table inet probe',
    'delete table inet probe',
    'table inet probe {',
    ...names.map((name) => `counter ${name} { }`),
    `chain count { type filter hook ${hook} priority 300;`,
    ...names.map((name) => `${matches[name]} counter name ${name}`),
    '}',
    '}',
  ];
  await loadRules(host.namespaceName, rules.join('\n'));
  return async () => {
    const { stdout } = await host.run('nft', ['-j', 'list', 'counters', 'table', 'inet', 'probe']);
    const { nftables } = JSON.parse(stdout) as { nftables: { counter?: { name: string; packets: number } }[] };
    return Object.fromEntries(nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])));
  };
}

/** Drops on the host what tells it that a packet was too large for the path. */
export const dropPathMtuMessages = (host: Host): Promise<void> =>
  loadRules(
    host.namespaceName,
    `table inet silence { chain input { type filter hook input priority 0;
      icmp type destination-unreachable drop
      icmpv6 type packet-too-big drop
    }
    }`,
  );

/** The internet marks what crosses it on UDP and takes part in ECN as having met congestion (CE, RFC 3168), one in `oneIn`. */
export const markCongestion = (world: World, oneIn: number): Promise<void> =>
  loadRules(
    `${world.prefix}internet`,
    `add table inet congestion
    delete table inet congestion
    table inet congestion { chain forward { type filter hook forward priority 0;
      numgen inc mod ${oneIn} != 0 accept
      meta l4proto udp ip ecn ect0 ip ecn set ce
      meta l4proto udp ip6 ecn ect0 ip6 ecn set ce
    }
    }`,
  );

/** Makes the internet's way to the host narrow: what is longer is fragmented, or refused with a message. */
export async function narrowPathTo(world: World, host: Host, mtu: number): Promise<void> {
  const internet = `${world.prefix}internet`;
  const { stdout } = await execute('ip', ['-n', internet, '-json', 'route', 'get', host.ipv4]);
  const [{ dev }] = JSON.parse(stdout) as [{ dev: string }];
  // Not the cable's own MTU: that would swallow, in silence, what the host sends into it.
  const input = [`${host.ipv4}/32`, `${host.ipv6}/128`]
    .map((prefix) => `route replace ${prefix} dev ${dev} mtu lock ${mtu}\n`)
    .join('');
  const { code, stderr } = await execute('ip', ['-n', internet, '-batch', '-'], { input });
  if (code !== 0) throw new Error(`ip: ${stderr}`);
}

import { ipFamily, type Prefix, parsePrefix } from '@warren/base';

/** The nftables table of one interface, in family inet; nobody else's. */
const tableOf = (interfaceName: string): string => `warren-${interfaceName}`;

/**
 * An `nft -f` script that puts the table up, replacing an older one in the same transaction. Forwarded packets of the
 * interface must come from it, leave by it and stay within the network's prefixes; all others of it are dropped.
 */
export function renderForwardingTable(interfaceName: string, prefixes: readonly string[]): string {
  const table = `inet ${tableOf(interfaceName)}`;
  const known = prefixes.map((text) => parsePrefix(text)).filter((prefix) => prefix !== undefined);
  const wg = JSON.stringify(interfaceName);
  return [
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  chain forward {',
    '    type filter hook forward priority filter; policy accept;',
    ...acceptLines(wg, known, 4),
    ...acceptLines(wg, known, 6),
    `    iifname ${wg} counter drop`,
    `    oifname ${wg} counter drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Removes the table; succeeds also when it is not there. */
export function renderForwardingRemoval(interfaceName: string): string {
  const table = `inet ${tableOf(interfaceName)}`;
  return `table ${table}\ndelete table ${table}\n`;
}

function acceptLines(wg: string, prefixes: readonly Prefix[], family: 4 | 6): string[] {
  const ours = prefixes.filter((prefix) => ipFamily(prefix) === family);
  if (ours.length === 0) return [];
  const set = `{ ${ours.join(', ')} }`;
  const ip = family === 4 ? 'ip' : 'ip6';
  return [`    iifname ${wg} oifname ${wg} ${ip} saddr ${set} ${ip} daddr ${set} accept`];
}

/**
 * Foreign chains that drop forwarded packets by policy, from `nft -j list chains`. An accept of ours cannot overrule
 * them: in nftables every base chain of a hook has its say.
 */
export function findDroppingChains(json: string): string[] {
  let parsed: { nftables?: { chain?: NftChain }[] };
  try {
    parsed = JSON.parse(json) as typeof parsed;
  } catch {
    return []; // an nft without JSON support: then this advice is all that is lost
  }
  return (parsed.nftables ?? [])
    .map(({ chain }) => chain)
    .filter((chain) => chain !== undefined)
    .filter((chain) => chain.hook === 'forward' && chain.policy === 'drop' && !chain.table?.startsWith('warren-'))
    .map((chain) => `${chain.family} ${chain.table} ${chain.name}`);
}

interface NftChain {
  readonly family?: string;
  readonly table?: string;
  readonly name?: string;
  readonly hook?: string;
  readonly policy?: string;
}

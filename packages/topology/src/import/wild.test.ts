import { describe, expect, it } from 'vitest';
import { WILD } from '../testing/wild-cases.js';
import { planOf, summary } from '../testing/wild-files.js';

/** What becomes of each, read by a person: prefixes, nodes (name, key, role, addresses, endpoint, settings), and what is said. */
const EXPECTED: Readonly<Record<string, ReturnType<typeof summary>>> = {
  'a client of a commercial provider': {
    cidrs: '10.64.12.0/24 fc00:bbbb:bbbb:bb01::/64',
    nodes: [
      'happy-otter 1 client 10.64.12.34 fc00:bbbb:bbbb:bb01::1:c21 {"dns":["10.64.0.1"]}',
      'node-1 9 bounce 10.64.12.1 fc00:bbbb:bbbb:bb01::1 @185.213.154.66:51820',
    ],
    report: [
      "completed * no file says the network's prefix: 10.64.12.0/24 holds all addresses that are in no other",
      "completed * no file says the network's prefix: fc00:bbbb:bbbb:bb01::/64 holds all addresses that are in no other",
      'completed se-got-wg-001.conf no file names the node that is node-1 now: rename it with `warren node rename`',
      'completed se-got-wg-001.conf PersistentKeepalive = 25 towards the peers that it dials, so that they reach it',
      'completed se-got-wg-001.conf no file says the address of node-1: it is 10.64.12.1, fc00:bbbb:bbbb:bb01::1 here',
      'not-carried-over se-got-wg-001.conf:7 AllowedIPs 0.0.0.0/0 of node-1: exit nodes come later; the network itself is reached',
      'not-carried-over se-got-wg-001.conf:7 AllowedIPs ::/0 of node-1: exit nodes come later; the network itself is reached',
    ],
  },
  'a PiVPN server alone': {
    cidrs: '10.6.0.0/24 fd11:5ee:bad:c0de::/64',
    nodes: [
      'laptop 3 client 10.6.0.3 fd11:5ee:bad:c0de::3',
      'node-1 1 bounce 10.6.0.1 fd11:5ee:bad:c0de::1 @vpn.example.org:51820 {"mtu":1420,"listenPort":51820}',
      'phone 2 client 10.6.0.2 fd11:5ee:bad:c0de::2',
    ],
    report: [
      'completed etc/wireguard/wg0.conf no file names the node that is node-1 now: rename it with `warren node rename`',
    ],
  },
  'a server and a client of an installer script, with masquerading': {
    cidrs: '10.66.66.0/24 fd42:42:42::/64',
    nodes: [
      'phone 2 client 10.66.66.2 fd42:42:42::2 {"dns":["1.1.1.1","1.0.0.1"]}',
      'server 1 bounce 10.66.66.1 fd42:42:42::1 @198.51.100.20:63665 {"postUp":["iptables -I INPUT -p udp --dport 63665 -j ACCEPT","iptables -I FORWARD -i eth0 -o wg0 -j ACCEPT","iptables -I FORWARD -i wg0 -j ACCEPT","iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE"],"postDown":["iptables -D INPUT -p udp --dport 63665 -j ACCEPT","iptables -t nat -D POSTROUTING -o eth0 -j MASQUERADE"],"listenPort":63665}',
      'tablet 3 client 10.66.66.3 fd42:42:42::3',
    ],
    report: [
      'completed wg0-client-phone.conf PersistentKeepalive = 25 towards the peers that it dials, so that they reach it',
      'not-carried-over wg0-client-phone.conf:6 AllowedIPs 0.0.0.0/0 of server: exit nodes come later; the network itself is reached',
      'not-carried-over wg0-client-phone.conf:6 AllowedIPs ::/0 of server: exit nodes come later; the network itself is reached',
    ],
  },
  'an Algo client': {
    cidrs: '10.49.0.0/16 2001:db8:a160::/48',
    nodes: [
      'desktop 1 client 10.49.0.2 2001:db8:a160::2 {"dns":["172.24.117.23","2001:db8:0:0:53::1"]}',
      'node-1 9 bounce 10.49.0.1 2001:db8:a160::1 @203.0.113.77:51820',
    ],
    report: [
      'completed desktop.conf no file names the node that is node-1 now: rename it with `warren node rename`',
      'completed desktop.conf PersistentKeepalive = 25 towards the peers that it dials, so that they reach it',
      'completed desktop.conf no file says the address of node-1: it is 10.49.0.1, 2001:db8:a160::1 here',
      'not-carried-over desktop.conf:6 AllowedIPs 0.0.0.0/0 of node-1: exit nodes come later; the network itself is reached',
      'not-carried-over desktop.conf:6 AllowedIPs ::/0 of node-1: exit nodes come later; the network itself is reached',
    ],
  },
  'a full mesh of three servers, without a relay': {
    cidrs: '10.9.0.0/24',
    nodes: [
      'node1 1 direct 10.9.0.1 @node1.example.net:51820 {"listenPort":51820}',
      'node2 2 direct 10.9.0.2 @node2.example.net:51820 {"listenPort":51820}',
      'node3 3 direct 10.9.0.3 @node3.example.net:51820 {"listenPort":51820}',
    ],
    report: ["completed * no file says the network's prefix: 10.9.0.0/24 holds all addresses that are in no other"],
  },
  'IPv6 only': {
    cidrs: 'fd00:dead:beef::/48',
    nodes: [
      'gate 1 bounce fd00:dead:beef::1 @[2001:db8::5]:51821 {"listenPort":51821}',
      'roamer 2 client fd00:dead:beef::2 {"persistentKeepalive":15}',
    ],
    report: [],
  },
  'comments everywhere': {
    cidrs: '10.20.0.0/24',
    nodes: ['anna 2 client 10.20.0.2', 'hub 1 bounce 10.20.0.1 @hub.example.org:51820 {"listenPort":51820}'],
    report: [],
  },
  'Windows line ends and a byte order mark': {
    cidrs: '172.16.5.0/24',
    nodes: [
      'gate 9 bounce 172.16.5.1 @gate.corp.example:51820',
      'office 1 client 172.16.5.2 {"dns":["172.16.5.1","corp.example"]}',
    ],
    report: ['completed office.conf no file says the address of gate: it is 172.16.5.1 here'],
  },
  'a server that saved its configuration': {
    cidrs: '192.168.77.0/24',
    nodes: [
      'anna 2 client 192.168.77.2',
      'hub 1 bounce 192.168.77.1 @hub.example.org:51820 {"listenPort":51820,"fwMark":51820,"saveConfig":true}',
      'node-1 3 client 192.168.77.3',
    ],
    report: [
      'completed hub.conf no file names the node that is node-1 now: rename it with `warren node rename`',
      'not-carried-over hub.conf PersistentKeepalive towards peers without Endpoint: they keep the way open themselves',
      'not-carried-over hub.conf:8 this Endpoint was learned (SaveConfig) and is left out: the host has no port of its own',
      'not-carried-over hub.conf:14 this Endpoint was learned (SaveConfig) and is left out: the host has no port of its own',
    ],
  },
  'a home network behind a router, as a subnet route': {
    cidrs: '10.8.0.0/24',
    nodes: [
      'phone 3 client 10.8.0.3',
      'router 2 client 10.8.0.2 {"postUp":["iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -o br0 -j MASQUERADE"],"table":"off"}',
      'vps 1 bounce 10.8.0.1 @vps.example.org:51820 {"listenPort":51820}',
    ],
    report: [
      'not-carried-over vps.conf:6 AllowedIPs 192.168.178.0/24 of router: subnet routes come later',
      'completed vps.conf the file did not list phone: it does now',
      'not-carried-over phone.conf:4 AllowedIPs 192.168.178.0/24 of vps: subnet routes come later',
    ],
  },
  'an exit node': {
    cidrs: '10.10.0.0/24',
    nodes: [
      'exit 1 bounce 10.10.0.1 @exit.example.org:443 {"preUp":["nft -f /etc/nftables/wg.nft"],"postUp":["iptables -t nat -A POSTROUTING -s 10.10.0.0/24 -o eth0 -j MASQUERADE"],"listenPort":443}',
      'traveller 2 client 10.10.0.2 {"dns":["9.9.9.9"],"mtu":1280}',
    ],
    report: [
      'not-carried-over traveller.conf:6 AllowedIPs 0.0.0.0/0 of exit: exit nodes come later; the network itself is reached',
    ],
  },
  'two relays': {
    cidrs: '10.30.0.0/24',
    nodes: [
      'anna 3 client 10.30.0.3',
      'ben 4 client 10.30.0.4',
      'east 1 bounce 10.30.0.1 @east.example.org:51820 {"postUp":["echo 1 > /proc/sys/net/ipv4/ip_forward"],"listenPort":51820}',
      'west 2 bounce 10.30.0.2 @west.example.org:51820 {"postUp":["echo 1 > /proc/sys/net/ipv4/ip_forward"],"listenPort":51820}',
    ],
    report: [
      'completed east.conf:6 AllowedIPs 10.30.0.4/32 of west',
      'completed west.conf:6 AllowedIPs 10.30.0.3/32 of east',
      "not-carried-over * east, west all relay: which of them relays for whom is the control plane's choice from now on",
    ],
  },
  'a key that a command fetches': {
    cidrs: '10.40.0.0/24',
    nodes: [
      'client 2 client 10.40.0.2',
      'server 1 direct 10.40.0.1 @server.example.org:51820 {"postUp":["logger up"],"listenPort":51820,"privateKeyCommand":"pass show wg/server"}',
    ],
    report: [
      'completed server.conf the file has no key of its own: other files say which one it has',
      'completed client.conf PersistentKeepalive = 25 towards the peers that it dials, so that they reach it',
    ],
  },
  'two hosts that point at each other': {
    cidrs: '10.50.0.0/30',
    nodes: [
      'a 1 direct 10.50.0.1 @192.0.2.1:51820 {"listenPort":51820}',
      'b 2 direct 10.50.0.2 @192.0.2.2:51820 {"listenPort":51820}',
    ],
    report: [],
  },
};

describe('files from the wild', () => {
  it.each(Object.entries(WILD))('%s', (name, { files, options }) => {
    expect(summary(planOf(files, options))).toEqual(EXPECTED[name]);
  });
});

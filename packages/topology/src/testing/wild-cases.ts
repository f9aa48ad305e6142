import type { ImportOptions } from '../index.js';
import { preshared, publicKey, secret } from './wild-files.js';

/** Files as people and programs write them, by where they come from. */
export interface WildCase {
  readonly files: Readonly<Record<string, string>>;
  readonly options?: Partial<ImportOptions>;
}

export const WILD: Readonly<Record<string, WildCase>> = {
  'a client of a commercial provider': {
    files: {
      'se-got-wg-001.conf': `[Interface]
# Device: Happy Otter
PrivateKey = ${secret(1)}
Address = 10.64.12.34/32,fc00:bbbb:bbbb:bb01::1:c21/128
DNS = 10.64.0.1

[Peer]
PublicKey = ${publicKey(9)}
AllowedIPs = 0.0.0.0/0,::0/0
Endpoint = 185.213.154.66:51820
`,
    },
  },
  'a PiVPN server alone': {
    files: {
      'etc/wireguard/wg0.conf': `[Interface]
PrivateKey = ${secret(1)}
Address = 10.6.0.1/24,fd11:5ee:bad:c0de::1/64
MTU = 1420
ListenPort = 51820
### begin phone ###
[Peer]
PublicKey = ${publicKey(2)}
PresharedKey = ${preshared(2)}
AllowedIPs = 10.6.0.2/32,fd11:5ee:bad:c0de::2/128
### end phone ###
### begin laptop ###
[Peer]
PublicKey = ${publicKey(3)}
PresharedKey = ${preshared(3)}
AllowedIPs = 10.6.0.3/32,fd11:5ee:bad:c0de::3/128
### end laptop ###
`,
    },
    options: { endpoints: new Map([['node-1', 'vpn.example.org:51820' as never]]) },
  },
  'a server and a client of an installer script, with masquerading': {
    files: {
      'server/wg0.conf': `[Interface]
Address = 10.66.66.1/24,fd42:42:42::1/64
ListenPort = 63665
PrivateKey = ${secret(1)}
PostUp = iptables -I INPUT -p udp --dport 63665 -j ACCEPT
PostUp = iptables -I FORWARD -i eth0 -o wg0 -j ACCEPT
PostUp = iptables -I FORWARD -i wg0 -j ACCEPT
PostUp = iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
PostDown = iptables -D INPUT -p udp --dport 63665 -j ACCEPT
PostDown = iptables -t nat -D POSTROUTING -o eth0 -j MASQUERADE

### Client phone
[Peer]
PublicKey = ${publicKey(2)}
PresharedKey = ${preshared(2)}
AllowedIPs = 10.66.66.2/32,fd42:42:42::2/128

### Client tablet
[Peer]
PublicKey = ${publicKey(3)}
PresharedKey = ${preshared(3)}
AllowedIPs = 10.66.66.3/32,fd42:42:42::3/128
`,
      'wg0-client-phone.conf': `[Interface]
PrivateKey = ${secret(2)}
Address = 10.66.66.2/32,fd42:42:42::2/128
DNS = 1.1.1.1,1.0.0.1

[Peer]
PublicKey = ${publicKey(1)}
PresharedKey = ${preshared(2)}
Endpoint = 198.51.100.20:63665
AllowedIPs = 0.0.0.0/0,::/0
`,
    },
  },
  'an Algo client': {
    files: {
      'desktop.conf': `[Interface]
PrivateKey = ${secret(1)}
Address = 10.49.0.2/32, 2001:db8:a160::2/128
DNS = 172.24.117.23, 2001:db8:0:0:53::1

[Peer]
PublicKey = ${publicKey(9)}
PresharedKey = ${preshared(1)}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 203.0.113.77:51820
PersistentKeepalive = 0
`,
    },
    options: { cidrs: ['10.49.0.0/16', '2001:db8:a160::/48'] },
  },
  'a full mesh of three servers, without a relay': {
    files: Object.fromEntries(
      [1, 2, 3].map((n) => [
        `node${n}.conf`,
        `[Interface]
PrivateKey = ${secret(n)}
Address = 10.9.0.${n}/32
ListenPort = 51820
${[1, 2, 3]
  .filter((other) => other !== n)
  .map(
    (other) =>
      `[Peer]\nPublicKey = ${publicKey(other)}\nAllowedIPs = 10.9.0.${other}/32\nEndpoint = node${other}.example.net:51820\n`,
  )
  .join('')}`,
      ]),
    ),
  },
  'IPv6 only': {
    files: {
      'gate.conf': `[Interface]
Address = fd00:dead:beef::1/48
ListenPort = 51821
PrivateKey = ${secret(1)}
PostUp = sysctl -w net.ipv6.conf.all.forwarding=1
[Peer]
PublicKey = ${publicKey(2)}
AllowedIPs = fd00:dead:beef::2/128
`,
      'roamer.conf': `[Interface]
Address = fd00:dead:beef::2
PrivateKey = ${secret(2)}
[Peer]
PublicKey = ${publicKey(1)}
AllowedIPs = fd00:dead:beef::/48
Endpoint = [2001:db8::5]:51821
PersistentKeepalive = 15
`,
    },
  },
  'comments everywhere': {
    files: {
      'wg0.conf': `# Managed by hand. Do not touch!  (see the wiki)
  # -----------------------------------------------
[interface]   # this host
# hub
  address=10.20.0.1/24 # the first one
	LISTENPORT = 51820	# forwarded by the router
privatekey=${secret(1)}
# PrivateKey = ${secret(7)}
#PostUp = rm -rf /
postup = sysctl -q -w net.ipv4.ip_forward=1 # needed

# ---- laptops ----
[PEER] # Anna
# anna
publickey = ${publicKey(2)} # rotated 2024-01-01
AllowedIPs = 10.20.0.2/32 # , 10.20.0.99/32
#PersistentKeepalive = 25
`,
    },
    options: { endpoints: new Map([['hub', 'hub.example.org:51820' as never]]) },
  },
  'Windows line ends and a byte order mark': {
    files: {
      'office.conf': `\uFEFF[Interface]
PrivateKey = ${secret(1)}
Address = 172.16.5.2/24
DNS = 172.16.5.1, corp.example

[Peer]
PublicKey = ${publicKey(9)}
AllowedIPs = 172.16.5.0/24
Endpoint = gate.corp.example:51820
PersistentKeepalive = 25
`.replaceAll('\n', '\r\n'),
    },
  },
  'a server that saved its configuration': {
    files: {
      'hub.conf': `[Interface]
Address = 192.168.77.1/24
SaveConfig = true
ListenPort = 51820
FwMark = 0xca6c
PrivateKey = ${secret(1)}

[Peer]
PublicKey = ${publicKey(2)}
AllowedIPs = 192.168.77.2/32
Endpoint = 203.0.113.7:39842
PersistentKeepalive = 25

[Peer]
PublicKey = ${publicKey(3)}
AllowedIPs = 192.168.77.3/32
Endpoint = 203.0.113.9:1026
`,
      'anna.conf': `[Interface]
Address = 192.168.77.2/24
PrivateKey = ${secret(2)}
[Peer]
PublicKey = ${publicKey(1)}
AllowedIPs = 192.168.77.0/24
Endpoint = hub.example.org:51820
PersistentKeepalive = 25
`,
    },
  },
  'a home network behind a router, as a subnet route': {
    files: {
      'vps.conf': `[Interface]
Address = 10.8.0.1/24
ListenPort = 51820
PrivateKey = ${secret(1)}
PostUp = sysctl -w net.ipv4.ip_forward=1
[Peer]
# Name = router
PublicKey = ${publicKey(2)}
AllowedIPs = 10.8.0.2/32, 192.168.178.0/24
`,
      'router.conf': `[Interface]
Address = 10.8.0.2/24
PrivateKey = ${secret(2)}
PostUp = iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -o br0 -j MASQUERADE
Table = off
[Peer]
PublicKey = ${publicKey(1)}
AllowedIPs = 10.8.0.0/24
Endpoint = vps.example.org:51820
PersistentKeepalive = 25
`,
      'phone.conf': `[Interface]
Address = 10.8.0.3/24
PrivateKey = ${secret(3)}
[Peer]
PublicKey = ${publicKey(1)}
AllowedIPs = 10.8.0.0/24, 192.168.178.0/24
Endpoint = vps.example.org:51820
PersistentKeepalive = 25
`,
    },
  },
  'an exit node': {
    files: {
      'exit.conf': `[Interface]
Address = 10.10.0.1/24
ListenPort = 443
PrivateKey = ${secret(1)}
PreUp = nft -f /etc/nftables/wg.nft
PostUp = iptables -t nat -A POSTROUTING -s 10.10.0.0/24 -o eth0 -j MASQUERADE
[Peer]
PublicKey = ${publicKey(2)}
AllowedIPs = 10.10.0.2/32
`,
      'traveller.conf': `[Interface]
Address = 10.10.0.2/32
PrivateKey = ${secret(2)}
DNS = 9.9.9.9
MTU = 1280
[Peer]
PublicKey = ${publicKey(1)}
AllowedIPs = 0.0.0.0/0
Endpoint = exit.example.org:443
PersistentKeepalive = 25
`,
    },
  },
  'two relays': {
    files: {
      'east.conf': `[Interface]
Address = 10.30.0.1/24
ListenPort = 51820
PrivateKey = ${secret(1)}
PostUp = echo 1 > /proc/sys/net/ipv4/ip_forward
[Peer]
PublicKey = ${publicKey(2)}
Endpoint = west.example.org:51820
AllowedIPs = 10.30.0.2/32
[Peer]
PublicKey = ${publicKey(3)}
AllowedIPs = 10.30.0.3/32
`,
      'west.conf': `[Interface]
Address = 10.30.0.2/24
ListenPort = 51820
PrivateKey = ${secret(2)}
PostUp = echo 1 > /proc/sys/net/ipv4/ip_forward
[Peer]
PublicKey = ${publicKey(1)}
Endpoint = east.example.org:51820
AllowedIPs = 10.30.0.1/32
[Peer]
PublicKey = ${publicKey(4)}
AllowedIPs = 10.30.0.4/32
`,
      'anna.conf': `[Interface]
Address = 10.30.0.3/24
PrivateKey = ${secret(3)}
[Peer]
PublicKey = ${publicKey(1)}
Endpoint = east.example.org:51820
AllowedIPs = 10.30.0.0/24
PersistentKeepalive = 25
`,
      'ben.conf': `[Interface]
Address = 10.30.0.4/24
PrivateKey = ${secret(4)}
[Peer]
PublicKey = ${publicKey(2)}
Endpoint = west.example.org:51820
AllowedIPs = 10.30.0.0/24
PersistentKeepalive = 25
`,
    },
  },
  'a key that a command fetches': {
    files: {
      'server.conf': `[Interface]
Address = 10.40.0.1/24
ListenPort = 51820
PostUp = wg set %i private-key <(pass show wg/server)
PostUp = logger up
[Peer]
PublicKey = ${publicKey(2)}
AllowedIPs = 10.40.0.2/32
`,
      'client.conf': `[Interface]
# Name = client
Address = 10.40.0.2/32
PrivateKey = ${secret(2)}
[Peer]
# Name = server
PublicKey = ${publicKey(1)}
Endpoint = server.example.org:51820
AllowedIPs = 10.40.0.1/32
PersistentKeepalive = off
`,
    },
  },
  'two hosts that point at each other': {
    files: {
      'a.conf': `[Interface]
Address = 10.50.0.1/30
PrivateKey = ${secret(1)}
ListenPort = 51820
[Peer]
PublicKey = ${publicKey(2)}
AllowedIPs = 10.50.0.2/32
Endpoint = 192.0.2.2:51820
`,
      'b.conf': `[Interface]
Address = 10.50.0.2/30
PrivateKey = ${secret(2)}
ListenPort = 51820
[Peer]
PublicKey = ${publicKey(1)}
AllowedIPs = 10.50.0.1/32
Endpoint = 192.0.2.1:51820
`,
    },
  },
};

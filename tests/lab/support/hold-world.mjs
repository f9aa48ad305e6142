// Makes a world with a running program in it, says where it is, and waits to be killed.
import { createWorld, HOME_NAT } from '@warren/netlab';

const world = await createWorld({ name: 'held' });
const router = await world.addRouter({ name: 'router', nat: HOME_NAT, lan: '192.168.1.0/24' });
const host = await world.addHost({ name: 'host', on: router });
const program = host.spawn('sh', ['-c', "trap '' TERM; while :; do sleep 1; done"]);
console.log(JSON.stringify({ prefix: world.prefix, dir: world.dir, pid: program.pid }));
setInterval(() => undefined, 1_000);

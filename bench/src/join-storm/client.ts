import { once } from 'node:events';
import { Follower } from './follower.js';
import { codeOf, connectAs, type Door, type Joiner, joinOnce, makeJoiner, openDoor } from './joiner.js';
import type { StormOptions, StormResult } from './storm-options.js';

// One of a few processes that join for many hosts; StormOptions as JSON is its argument, a line on stdin starts it.
const options = JSON.parse(process.argv[2]!) as StormOptions;
const COMPARE_TIMEOUT_MS = 60_000;

const door = await openDoor(options.token);
const joiners = Array.from({ length: options.joins }, (_, i) => makeJoiner(options.network, `${options.prefix}${i}`));
console.log('ready');
await once(process.stdin, 'data');

const joined: number[] = [];
const called: number[] = [];
const errors: Record<string, number> = {};
const followers: Follower[] = [];
const began = Date.now();
await Promise.all(Array.from({ length: options.parallel }, () => work(door, joiners)));
const ended = Date.now();
for (const follower of followers) await follower.compare(COMPARE_TIMEOUT_MS);
const broken = followers.filter((follower) => follower.broken).length;
const result: StormResult = { joined, called, errors, began, ended, broken };
console.log(`result ${JSON.stringify(result)}`);
// With `follow`, streams stay until all processes are done: the last line on stdin says so.
await once(process.stdin, 'data');
for (const follower of followers) follower.close();
process.exit(0);

/** Takes one host after the other until none is left. */
async function work(at: Door, waiting: Joiner[]): Promise<void> {
  for (let joiner = waiting.pop(); joiner; joiner = waiting.pop()) {
    const start = performance.now();
    try {
      const answer = await joinOnce(at, joiner);
      joined.push(performance.now() - start);
      called.push(answer.calledMs);
      if (options.follow) {
        followers.push(new Follower(connectAs(at, joiner, answer.joined.certificateChain), joiner.nodeId));
      }
    } catch (error) {
      const code = codeOf(error);
      errors[code] = (errors[code] ?? 0) + 1;
    }
  }
}

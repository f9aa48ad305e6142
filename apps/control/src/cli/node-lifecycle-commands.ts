import { WarrenError } from '@warren/base';
import { type Command, Option } from 'commander';
import { collect, duration } from './arguments.js';
import { type CommandContext, type Item, list, ROLES, run, text } from './command.js';
import { findNode, onNode } from './find-node.js';

/** `warren node …`: what an operator decides about a node that is there. */
export function nodeLifecycleCommands(node: Command, context: CommandContext): void {
  onNode(node.command('approve'), 'let a node in that waits, or that was disabled').action(
    run(context, async (rest, [name], { network }) => {
      const { id } = await findNode(rest, name, network);
      return { answer: await rest.call('POST', `/nodes/${id}/approve`), text: (item: Item) => `approved ${item.name}` };
    }),
  );
  onNode(node.command('disable'), 'hold a node back: nobody sees it until it is approved again').action(
    run(context, async (rest, [name], { network }) => {
      const { id } = await findNode(rest, name, network);
      return { answer: await rest.call('POST', `/nodes/${id}/disable`), text: (item: Item) => `disabled ${item.name}` };
    }),
  );
  onNode(node.command('extend'), 'put off the expiry of its key; an expired node is active again')
    .option('--expires <duration>', 'from now, such as 90d, or never; left out: as the network says', duration)
    .action(
      run(context, async (rest, [name], { network, expires }) => {
        const { id } = await findNode(rest, name, network);
        const body = expires === undefined ? {} : { expires: expires === 'never' ? null : expires };
        return {
          answer: await rest.call('POST', `/nodes/${id}/extend`, body),
          text: (item: Item) => `the key of ${item.name} expires ${text(item.keyExpiresAt ?? 'never')}`,
        };
      }),
    );
  onNode(node.command('clone-seen'), 'say that the second copy of its state directory has been seen to').action(
    run(context, async (rest, [name], { network }) => {
      const { id } = await findNode(rest, name, network);
      const answer = await rest.call('POST', `/nodes/${id}/clone-seen`);
      return { answer, text: (item: Item) => `${item.name}: either copy may connect now, the first one stays` };
    }),
  );
  tagCommand(node, context);
  setCommand(node, context);
}

function tagCommand(node: Command, context: CommandContext): void {
  onNode(node.command('tag'), 'add and remove tags')
    .option('--add <tag>', 'may be repeated', collect)
    .option('--remove <tag>', 'may be repeated', collect)
    .action(
      run(context, async (rest, [name], { network, add, remove }) => {
        if (add === undefined && remove === undefined) throw new WarrenError('usage', 'say --add or --remove');
        const { id, tags } = await findNode(rest, name, network);
        const removed = new Set((remove ?? []) as string[]);
        const kept = (tags as string[]).filter((tag) => !removed.has(tag));
        const body = { tags: [...new Set([...kept, ...((add ?? []) as string[])])] };
        return {
          answer: await rest.call('PATCH', `/nodes/${id}`, body),
          text: (item: Item) => `${item.name}: ${list(item.tags) || 'no tags'}`,
        };
      }),
    );
}

function setCommand(node: Command, context: CommandContext): void {
  onNode(node.command('set'), 'change role or endpoint')
    .addOption(new Option('--role <role>', 'direct and bounce need an endpoint').choices(ROLES))
    .option('--endpoint <host:port>', 'how others reach it: direct and bounce')
    .action(
      run(context, async (rest, [name], { network, role, endpoint }) => {
        if (role === undefined && endpoint === undefined)
          throw new WarrenError('usage', 'say what to set: --role or --endpoint');
        const { id } = await findNode(rest, name, network);
        return {
          answer: await rest.call('PATCH', `/nodes/${id}`, { role, endpoint }),
          text: (item: Item) => `${item.name} ${item.role} ${text(item.endpoint ?? '')}`.trimEnd(),
        };
      }),
    );
}

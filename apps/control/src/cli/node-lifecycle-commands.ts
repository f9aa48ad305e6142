import { WarrenError } from '@warren/base';
import { take } from '@warren/client';
import type { Command } from 'commander';
import { collect, duration } from './arguments.js';
import { byId, type CommandContext, orNull, run } from './command.js';
import { findNode, onNode } from './find-node.js';

interface InNetwork {
  readonly network?: string;
}

/** `warren node …`: what an operator decides about a node that is there. */
export function nodeLifecycleCommands(node: Command, context: CommandContext): void {
  onNode(node.command('approve'), 'let a node in that waits, or that was disabled').action(
    run(context, async (rest, [name], { network }: InNetwork) => {
      const { id } = await findNode(rest, name, network);
      const approved = await take(rest.POST('/api/v1/nodes/{id}/approve', byId(id)));
      return { answer: approved, text: () => `approved ${approved.name}` };
    }),
  );
  onNode(node.command('disable'), 'hold a node back: nobody sees it until it is approved again').action(
    run(context, async (rest, [name], { network }: InNetwork) => {
      const { id } = await findNode(rest, name, network);
      const disabled = await take(rest.POST('/api/v1/nodes/{id}/disable', byId(id)));
      return { answer: disabled, text: () => `disabled ${disabled.name}` };
    }),
  );
  onNode(node.command('clone-seen'), 'say that the second copy of its state directory has been seen to').action(
    run(context, async (rest, [name], { network }: InNetwork) => {
      const { id } = await findNode(rest, name, network);
      const seen = await take(rest.POST('/api/v1/nodes/{id}/clone-seen', byId(id)));
      return { answer: seen, text: () => `${seen.name}: whichever copy connects first stays` };
    }),
  );
  addExtend(node, context);
  addTag(node, context);
}

function addExtend(node: Command, context: CommandContext): void {
  onNode(node.command('extend'), 'put off the expiry of its key; an expired node is active again')
    .option('--expires <duration>', 'from now, such as 90d, or never; left out: as the network says', duration)
    .action(
      run(context, async (rest, [name], { network, expires }: InNetwork & { expires?: string }) => {
        const { id } = await findNode(rest, name, network);
        const body = expires === undefined ? {} : { expires: orNull(expires) };
        const extended = await take(rest.POST('/api/v1/nodes/{id}/extend', { ...byId(id), body }));
        return {
          answer: extended,
          text: () => `the key of ${extended.name} expires ${extended.keyExpiresAt ?? 'never'}`,
        };
      }),
    );
}

function addTag(node: Command, context: CommandContext): void {
  interface Tags extends InNetwork {
    readonly add?: string[];
    readonly remove?: string[];
  }
  onNode(node.command('tag'), 'add and remove tags')
    .option('--add <tag>', 'may be repeated', collect)
    .option('--remove <tag>', 'may be repeated', collect)
    .action(
      run(context, async (rest, [name], { network, add = [], remove = [] }: Tags) => {
        if (add.length + remove.length === 0) throw new WarrenError('usage', 'say --add or --remove');
        const { id, tags: before } = await findNode(rest, name, network);
        const tags = [...new Set([...before.filter((tag) => !remove.includes(tag)), ...add])];
        const tagged = await take(rest.PATCH('/api/v1/nodes/{id}', { ...byId(id), body: { tags } }));
        return { answer: tagged, text: () => `${tagged.name}: ${tagged.tags.join(', ') || 'no tags'}` };
      }),
    );
}

import { take } from '@warren/client';
import type { Command } from 'commander';
import { byId, type CommandContext, run } from './command.js';
import { findNode, onNode } from './find-node.js';

/** What a change of key means for who has the old one in a file. */
const FILES =
  'vanilla members need their new files within ten minutes of that, or are cut off from it until they have them';

/** Commands of `warren node` about the keys of agents. */
export function nodeKeyCommands(node: Command, context: CommandContext): void {
  onNode(node.command('rotate-key'), 'have its agent make another WireGuard key; nobody loses a packet').action(
    run(context, async (rest, [name], { network }: { readonly network?: string }) => {
      const { id } = await findNode(rest, name, network);
      const asked = await take(rest.POST('/api/v1/nodes/{id}/rotate-key', byId(id)));
      const when = asked.online ? 'makes another key now' : 'makes another key when it is back';
      return { answer: asked, text: () => `${asked.name} ${when}\n${FILES}` };
    }),
  );
}

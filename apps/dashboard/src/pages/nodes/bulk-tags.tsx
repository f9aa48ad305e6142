import { NODE_NAME_RULE, parseNodeName } from '@warren/topology';
import { type FormEvent, useState } from 'react';
import type { Node } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { Checkbox, TextField } from '../../ui/field.js';
import { tagsOf } from './node-list.js';

export interface TagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Tags of a line, with commas or spaces between. */
export const parseTags = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

/** Why they cannot be kept; undefined: they can. The rule of tags is that of names. */
export function tagsProblem(tags: readonly string[]): string | undefined {
  const wrong = tags.find((tag) => parseNodeName(tag) === undefined);
  if (wrong !== undefined) return `“${wrong}” is no tag: ${NODE_NAME_RULE.replace('a name', 'a tag')}`;
  return tags.length > 32 ? 'a node has 32 tags at most' : undefined;
}

/** Tags to add to many nodes, and those of theirs to take away. */
export function BulkTagForm({
  nodes,
  onSubmit,
  onClose,
}: {
  nodes: readonly Node[];
  onSubmit: (change: TagChange) => void;
  onClose: () => void;
}) {
  const [text, setText] = useState('');
  const [remove, setRemove] = useState<readonly string[]>([]);
  const add = parseTags(text);
  const problem = tagsProblem(add);
  const held = tagsOf(nodes);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!problem) onSubmit({ add, remove });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <TextField
        label="Add tags"
        hint="Several with commas between."
        error={problem}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
      />
      {held.length > 0 && (
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 font-medium text-sm">Take away</legend>
          <div className="flex max-h-48 flex-col gap-2 overflow-y-auto">
            {held.map(([tag, count]) => (
              <Checkbox
                key={tag}
                label={`${tag} (${count})`}
                checked={remove.includes(tag)}
                onChange={(event) =>
                  setRemove(event.target.checked ? [...remove, tag] : remove.filter((each) => each !== tag))
                }
              />
            ))}
          </div>
        </fieldset>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          tone="primary"
          disabled={problem !== undefined || (add.length === 0 && remove.length === 0)}
        >
          Change tags
        </Button>
      </div>
    </form>
  );
}

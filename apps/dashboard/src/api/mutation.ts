import { type QueryKey, useMutation } from '@tanstack/react-query';
import { toast } from '../ui/toast.js';
import { messageOf } from './client.js';
import { queryClient } from './query-client.js';

export interface ChangeOptions<Input, Output> {
  readonly change: (input: Input) => Promise<Output>;
  /** What the page shows until the answer is there; taken back with a message when the change is refused. */
  readonly optimistic?: (
    input: Input,
  ) => readonly { readonly key: QueryKey; readonly update: (old: never) => unknown }[];
  /** What is asked anew afterwards, whatever the answer. */
  readonly stale?: readonly QueryKey[];
  /** Said when it worked; nothing: the page shows it well enough. */
  readonly done?: (output: Output, input: Input) => string | undefined;
  readonly onDone?: (output: Output, input: Input) => void;
  /** The form shows the error itself. */
  readonly quiet?: boolean;
}

/** A change of something on the control plane: shown at once, rolled back with a message when it is refused. */
export function useChange<Input, Output = unknown>(options: ChangeOptions<Input, Output>) {
  return useMutation<Output, Error, Input, { before: readonly (readonly [QueryKey, unknown])[] }>({
    mutationFn: options.change,
    onMutate: async (input) => {
      const changes = options.optimistic?.(input) ?? [];
      await Promise.all(changes.map(({ key }) => queryClient.cancelQueries({ queryKey: key })));
      const before = changes.map(({ key }) => [key, queryClient.getQueryData(key)] as const);
      for (const { key, update } of changes)
        queryClient.setQueryData(key, (old: unknown) => (old === undefined ? undefined : update(old as never)));
      return { before };
    },
    onError: (error, _input, context) => {
      for (const [key, data] of context?.before ?? []) queryClient.setQueryData(key, data);
      if (!options.quiet) toast.bad(messageOf(error));
    },
    onSuccess: (output, input) => {
      const text = options.done?.(output, input);
      if (text) toast.good(text);
      options.onDone?.(output, input);
    },
    onSettled: () => {
      for (const queryKey of options.stale ?? []) void queryClient.invalidateQueries({ queryKey });
    },
  });
}

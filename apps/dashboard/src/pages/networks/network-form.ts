import { useMutation, useQuery } from '@tanstack/react-query';
import type { operations, Schemas } from '@warren/client';
import { useState } from 'react';
import { api, take, WarrenProblem } from '../../api/client.js';
import { type FormErrors, formErrors } from '../../api/form-errors.js';
import { networkQuery, networksQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import type { Versioned } from '../../api/versioned.js';
import { toast } from '../../ui/toast.js';

export type NetworkSettings = Schemas['Network'];
export type NetworkChange = operations['updateNetwork']['requestBody']['content']['application/json'];

type Values = Readonly<Record<string, string | boolean>>;

interface Draft<V extends Values> {
  /** What was there when the first thing was typed. */
  readonly base: Versioned<NetworkSettings>;
  readonly edits: Partial<V>;
}

/** A form over some settings of a network: typed text is kept until it is saved or given up, whatever happens around it. */
export interface NetworkForm<V extends Values> {
  readonly values: V;
  readonly set: <K extends keyof V>(key: K, value: V[K]) => void;
  readonly dirty: boolean;
  readonly busy: boolean;
  readonly errors: FormErrors<Extract<keyof V, string>>;
  readonly save: () => void;
  readonly discard: () => void;
  /** Fields of this form that somebody else has changed since, as they are now. */
  readonly theirs: Partial<V>;
  /** Goes on from what is there now; what was typed stays. */
  readonly rebase: () => void;
}

interface FormOptions<V extends Values> {
  /** As fields show it. */
  readonly read: (network: NetworkSettings) => V;
  /** The request that changes these fields. */
  readonly write: (values: V, changed: ReadonlySet<keyof V>) => NetworkChange;
  /** What is wrong with what was typed, before anybody is asked. */
  readonly check?: (values: V) => { readonly [K in keyof V]?: string | undefined };
  readonly onSaved?: (network: NetworkSettings) => void;
}

export function useNetworkForm<V extends Values>(
  latest: Versioned<NetworkSettings>,
  { read, write, check, onSaved }: FormOptions<V>,
): NetworkForm<V> {
  const [draft, setDraft] = useState<Draft<V>>();
  const base = draft?.base ?? latest;
  const was = read(base.value);
  const is = read(latest.value);
  const values = { ...was, ...draft?.edits };
  const theirs = differing(was, is);
  const saving = useMutation({
    mutationFn: async () => {
      const { id } = base.value;
      const body = write(values, new Set(Object.keys(draft?.edits ?? {})));
      const send = (etag: string) =>
        take(api.PATCH('/api/v1/networks/{id}', { params: { path: { id }, header: { 'If-Match': etag } }, body }));
      // What others changed outside of this form is no conflict with it.
      const { etag } = Object.keys(theirs).length === 0 ? latest : base;
      try {
        return await send(etag);
      } catch (error) {
        if (!isConflict(error)) throw error;
        await refresh(id);
        const now = queryClient.getQueryData(networkQuery(id).queryKey);
        if (!now || Object.keys(differing(was, read(now.value))).length > 0) throw error;
        return await send(now.etag);
      }
    },
    onSuccess: async (network) => {
      await refresh(network.id);
      setDraft(undefined);
      toast.good('Saved.');
      onSaved?.(network);
    },
  });
  const names = Object.keys(was) as Extract<keyof V, string>[];
  const wrong = Object.entries(check?.(values) ?? {}).filter(([key, text]) => text && key in (draft?.edits ?? {}));
  const conflicting = isConflict(saving.error) && Object.keys(theirs).length > 0;
  const refused = formErrors(conflicting ? undefined : saving.error, names, names.length === 1 ? names[0] : undefined);
  return {
    values,
    set: (key, value) => {
      const edits = differing(was, { ...values, [key]: value });
      setDraft(Object.keys(edits).length === 0 ? undefined : { base, edits });
    },
    dirty: draft !== undefined,
    busy: saving.isPending,
    errors: { ...refused, fields: { ...refused.fields, ...Object.fromEntries(wrong) } },
    save: () => {
      if (wrong.length === 0) saving.mutate();
    },
    discard: () => {
      setDraft(undefined);
      saving.reset();
    },
    theirs: draft === undefined ? {} : theirs,
    rebase: () => {
      const edits = differing(is, values);
      const kept = Object.fromEntries(Object.entries(edits).filter(([key]) => key in (draft?.edits ?? {})));
      setDraft(Object.keys(kept).length === 0 ? undefined : { base: latest, edits: kept as Partial<V> });
      saving.reset();
    },
  };
}

const isConflict = (error: unknown): boolean => error instanceof WarrenProblem && error.status === 412;

/** The fields of `to` that are not as in `from`. */
function differing<V extends Values>(from: V, to: V): Partial<V> {
  return Object.fromEntries(Object.entries(to).filter(([key, value]) => from[key] !== value)) as Partial<V>;
}

async function refresh(id: string): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: networkQuery(id).queryKey }),
    queryClient.invalidateQueries({ queryKey: networksQuery.queryKey }),
  ]);
}

/** Who changed the settings of a network last; asked for when somebody has to be told. */
export const useLastChange = (id: string, wanted: boolean) =>
  useQuery({
    queryKey: ['audit', 'last-update', id],
    queryFn: () => take(api.GET('/api/v1/audit', { params: { query: { network: id, action: 'network.', limit: 1 } } })),
    enabled: wanted,
    staleTime: 0,
    select: ({ items }) => items[0],
  });

/** One item a line, or between commas. */
export const linesOf = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Why a text is no whole number within bounds; undefined: it is one. */
export const numberProblem = (text: string, least: number, most: number): string | undefined =>
  /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
    ? undefined
    : `must be a whole number of ${least} to ${most}`;

import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { LogOut, type LucideIcon, Moon, Server, Sun } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { networksQuery, nodesQuery } from '../api/queries.js';
import { useFocusReturn } from '../ui/focus-return.js';
import { CONTROL_VIEWS, NETWORK_VIEWS } from './destinations.js';
import { signOut } from './sign-out.js';
import { chooseTheme, isDark } from './theme.js';

/** More would be slow to search through, and nobody scrolls that far: the list of nodes has a search of its own. */
const MOST_NODES = 2_000;

/** Every view, network and node by name, from the keyboard. */
export function CommandPalette({ network, onClose }: { network: string | undefined; onClose: () => void }) {
  const navigate = useNavigate();
  const networks = useQuery(networksQuery).data ?? [];
  const nodes = useQuery({ ...nodesQuery(network ?? ''), enabled: network !== undefined }).data ?? [];
  const run = (action: () => unknown) => () => {
    onClose();
    void action();
  };
  const focus = useFocusReturn();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content
          {...focus}
          aria-describedby={undefined}
          className="fixed inset-x-2 top-[12dvh] z-50 mx-auto max-w-xl overflow-hidden rounded-2xl border border-line bg-raised shadow-2xl"
        >
          <Dialog.Title className="sr-only">Find or do</Dialog.Title>
          <Command label="Find or do" loop>
            <Command.Input
              placeholder="A view, a node, an action…"
              className="h-12 w-full border-line border-b bg-transparent px-4 outline-none placeholder:text-muted"
            />
            <Command.List className="max-h-[55dvh] overflow-y-auto p-2">
              <Command.Empty className="px-3 py-6 text-center text-muted">Nothing has that name.</Command.Empty>
              {network !== undefined && (
                <Group heading={network}>
                  {NETWORK_VIEWS.map(({ to, label, icon }) => (
                    <Item
                      key={to}
                      icon={icon}
                      value={label}
                      onSelect={run(() => navigate({ to, params: { network } }))}
                    />
                  ))}
                </Group>
              )}
              <Group heading="Control plane">
                {CONTROL_VIEWS.map(({ to, label, icon }) => (
                  <Item key={to} icon={icon} value={label} onSelect={run(() => navigate({ to }))} />
                ))}
              </Group>
              <Group heading="Actions">
                <Item
                  icon={isDark() ? Sun : Moon}
                  value={isDark() ? 'Use light colours' : 'Use dark colours'}
                  onSelect={run(() => chooseTheme(isDark() ? 'light' : 'dark'))}
                />
                <Item icon={LogOut} value="Sign out" onSelect={run(signOut)} />
              </Group>
              {networks.length > 1 && (
                <Group heading="Networks">
                  {networks.map(({ id, name }) => (
                    <Item
                      key={id}
                      icon={NETWORK_VIEWS[0].icon}
                      value={`Network ${name}`}
                      onSelect={run(() => navigate({ to: '/n/$network/topology', params: { network: name } }))}
                    />
                  ))}
                </Group>
              )}
              {network !== undefined && nodes.length > 0 && (
                <Group heading="Nodes">
                  {nodes.slice(0, MOST_NODES).map(({ id, name, addresses }) => (
                    <Item
                      key={id}
                      icon={Server}
                      value={name}
                      more={addresses[0]}
                      onSelect={run(() =>
                        navigate({ to: '/n/$network/nodes/$id', params: { network, id }, search: {} }),
                      )}
                    />
                  ))}
                </Group>
              )}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const Group = ({ heading, children }: { heading: string; children: React.ReactNode }) => (
  <Command.Group
    heading={heading}
    className="[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-muted [&_[cmdk-group-heading]]:text-xs"
  >
    {children}
  </Command.Group>
);

function Item({
  icon: Icon,
  value,
  more,
  onSelect,
}: {
  icon: LucideIcon;
  value: string;
  more?: string | undefined;
  onSelect: () => void;
}) {
  return (
    <Command.Item
      value={value}
      keywords={more === undefined ? [] : [more]}
      onSelect={onSelect}
      className="flex h-10 cursor-pointer items-center gap-3 rounded-lg px-3 data-[selected=true]:bg-accent-soft"
    >
      <Icon aria-hidden size={17} className="text-muted" />
      <span className="grow truncate">{value}</span>
      {more && <span className="mono text-muted">{more}</span>}
    </Command.Item>
  );
}

import {
  Activity,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  Network,
  PlusCircle,
  RadioTower,
  ScrollText,
  Settings,
  Share2,
  Ticket,
  UserRoundCheck,
} from 'lucide-react';

interface Destination {
  readonly label: string;
  readonly icon: LucideIcon;
}

/** Views of one network; `to` is a route with `$network`. */
export const NETWORK_VIEWS = [
  { to: '/n/$network/topology', label: 'Topology', icon: Share2 },
  { to: '/n/$network/nodes', label: 'Nodes', icon: MonitorSmartphone },
  { to: '/n/$network/add', label: 'Add a peer', icon: PlusCircle },
  { to: '/n/$network/tokens', label: 'Tokens', icon: Ticket },
  { to: '/n/$network/settings', label: 'Network settings', icon: Settings },
] as const satisfies readonly (Destination & { to: string })[];

/** Views of the whole control plane. */
export const CONTROL_VIEWS = [
  { to: '/networks', label: 'Networks', icon: Network },
  { to: '/signals', label: 'Signal servers', icon: RadioTower },
  { to: '/api-keys', label: 'API keys', icon: KeyRound },
  { to: '/sessions', label: 'Sessions', icon: UserRoundCheck },
  { to: '/log', label: 'Log of changes', icon: ScrollText },
  { to: '/health', label: 'Health', icon: Activity },
] as const satisfies readonly (Destination & { to: string })[];

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { LogOut, Moon, Search, Sun, SunMoon } from 'lucide-react';
import { networksQuery } from '../api/queries.js';
import { sessionQuery } from '../api/session.js';
import { Button, IconButton } from '../ui/button.js';
import { Select } from '../ui/field.js';
import { CONTROL_VIEWS, NETWORK_VIEWS } from './destinations.js';
import { signOut } from './sign-out.js';
import { chooseTheme, type Theme, useTheme } from './theme.js';

const LINK = 'flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-ink hover:bg-sunken';
const ACTIVE = { className: 'bg-accent-soft text-accent font-medium', 'aria-current': 'page' as const };

export function Navigation({ network, onPalette }: { network: string | undefined; onPalette: () => void }) {
  return (
    <nav aria-label="Main" className="flex min-h-full flex-col gap-1 p-3">
      <div className="mb-1 hidden items-center gap-2 px-2 py-1 lg:flex">
        <img src="/favicon.svg" alt="" width={24} height={24} />
        <span className="font-semibold text-lg tracking-tight">Warren</span>
      </div>
      <Button icon={<Search aria-hidden size={16} />} onClick={onPalette} className="mb-2 justify-start! text-muted!">
        <span className="grow text-left">Find or do</span>
        <kbd className="rounded border border-line px-1.5 text-xs">Ctrl K</kbd>
      </Button>
      <NetworkSwitch network={network} />
      {network !== undefined && (
        <ul className="flex flex-col gap-0.5">
          {NETWORK_VIEWS.map(({ to, label, icon: Icon }) => (
            <li key={to}>
              <Link to={to} params={{ network }} className={LINK} activeProps={ACTIVE}>
                <Icon aria-hidden size={17} />
                {label}
              </Link>
            </li>
          ))}
        </ul>
      )}
      <h2 className="mt-3 px-2.5 pb-1 font-medium text-muted text-xs">Control plane</h2>
      <ul className="flex flex-col gap-0.5">
        {CONTROL_VIEWS.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link to={to} className={LINK} activeProps={ACTIVE}>
              <Icon aria-hidden size={17} />
              {label}
            </Link>
          </li>
        ))}
      </ul>
      <Account />
    </nav>
  );
}

function NetworkSwitch({ network }: { network: string | undefined }) {
  const networks = useQuery(networksQuery).data ?? [];
  const navigate = useNavigate();
  if (networks.length < 2)
    return <p className="truncate px-2.5 pb-1 font-medium text-muted text-xs">{network ?? 'Network'}</p>;
  return (
    <Select
      aria-label="Network"
      value={network ?? ''}
      onChange={(event) => void navigate({ to: '/n/$network/topology', params: { network: event.target.value } })}
      className="mb-1"
    >
      {networks.map(({ id, name }) => (
        <option key={id} value={name}>
          {name}
        </option>
      ))}
    </Select>
  );
}

const NEXT: Record<Theme, { next: Theme; label: string; icon: typeof Sun }> = {
  system: { next: 'light', label: 'Colours: as the system. Switch to light', icon: SunMoon },
  light: { next: 'dark', label: 'Colours: light. Switch to dark', icon: Sun },
  dark: { next: 'system', label: 'Colours: dark. Switch to as the system', icon: Moon },
};

function Account() {
  const session = useQuery(sessionQuery).data;
  const { next, label, icon: Icon } = NEXT[useTheme()];
  return (
    <div className="mt-auto flex items-center gap-1 border-line border-t pt-2">
      <span className="min-w-0 grow truncate px-2.5 text-muted">{session?.user.name}</span>
      <IconButton label={label} onClick={() => chooseTheme(next)}>
        <Icon aria-hidden size={18} />
      </IconButton>
      <IconButton label="Sign out" onClick={() => void signOut()}>
        <LogOut aria-hidden size={18} />
      </IconButton>
    </div>
  );
}

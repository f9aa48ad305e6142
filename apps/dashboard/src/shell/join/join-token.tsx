import { KeyRound } from 'lucide-react';
import type { CreatedToken } from '../../api/tokens.js';
import { JoinLines } from './join-lines.js';
import { JoinWatch } from './join-watch.js';

/** A token that was just made: what to run on the host, and whether it has come. */
export const JoinToken = ({ network, token }: { network: string; token: CreatedToken }) => (
  <div className="flex min-w-0 flex-col gap-4">
    <p className="flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2 text-sm">
      <KeyRound aria-hidden size={16} className="mt-0.5 shrink-0 text-warn" />
      <span>
        The token is shown this once. Whoever has it can join
        {token.maxUses === 1 ? ' one host' : ''}: send it as you would a password.
      </span>
    </p>
    <JoinLines token={token} />
    <JoinWatch network={network} token={token} />
  </div>
);

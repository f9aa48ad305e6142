import { useState } from 'react';
import type { CreatedToken } from '../../api/tokens.js';
import { JoinToken } from '../../shell/join/join-token.js';
import { TokenForm } from '../../shell/join/token-form.js';
import { Button } from '../../ui/button.js';
import { Card } from '../../ui/page.js';

/** Adds a host that runs the agent: a token, the line that uses it, and the host as it comes. */
export function AgentPanel({ network }: { network: string }) {
  const [token, setToken] = useState<CreatedToken>();
  if (!token)
    return (
      <Card title="A host that runs the agent">
        <TokenForm network={network} onCreated={setToken} />
      </Card>
    );
  return (
    <Card
      title={token.name ?? 'Join line'}
      actions={
        <Button small onClick={() => setToken(undefined)}>
          Make another
        </Button>
      }
    >
      <JoinToken network={network} token={token} />
    </Card>
  );
}

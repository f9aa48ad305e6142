import type { Schemas } from '@warren/client';
import type { ReactNode } from 'react';
import { Badge } from '../../../ui/badge.js';
import { formatRtt, plural } from '../../../ui/format.js';

type Told = Schemas['Explanation'];

/** What `agent explain` says, in the same words. */
export function Explanation({ explanation, asked, other }: { explanation: Told; asked: string; other: string }) {
  const { why, advice, candidates, nat, homes, servers } = explanation;
  return (
    <>
      <p>{sentence(why)}</p>
      {advice && (
        <p className="rounded-lg border border-accent bg-accent-soft px-3 py-2">
          <span className="font-medium">What would help: </span>
          {sentence(advice)}
        </p>
      )}
      <Part title="NAT of both sides">
        <table className="w-full text-left text-sm">
          <thead className="text-muted">
            <tr>
              <th className="py-1 pr-2 font-normal">Node</th>
              <th className="py-1 pr-2 font-normal">Mapping</th>
              <th className="py-1 font-normal">Filtering</th>
            </tr>
          </thead>
          <tbody>
            {(
              [
                [asked, nat.local],
                [other, nat.remote],
              ] as const
            ).map(([name, pair]) => (
              <tr key={name} className="border-line border-t align-top">
                <th className="break-words py-1 pr-2 font-normal">{name}</th>
                <td className="py-1 pr-2">{pair?.mapping ?? 'not told'}</td>
                <td className="py-1">{pair?.filtering ?? 'not told'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Part>
      {candidates.length > 0 && (
        <Part title={`${plural(candidates.length, 'address', 'addresses')} tried`}>
          <ul className="flex flex-col">
            {candidates.map((candidate) => (
              <Candidate key={`${candidate.kind} ${candidate.endpoint}`} candidate={candidate} />
            ))}
          </ul>
        </Part>
      )}
      {servers.length > 0 && (
        <Part title="Signal servers">
          <ul className="flex flex-col">
            {servers.map((server) => (
              <Server key={server.id} server={server} />
            ))}
          </ul>
          {homes.remote.length > 0 && (
            <p className="text-muted text-sm">
              {other} is registered at {homes.remote.join(', ')}.
            </p>
          )}
        </Part>
      )}
    </>
  );
}

const sentence = (text: string): string => {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?]$/.test(begun) ? begun : `${begun}.`;
};

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className="flex flex-col gap-1">
    <h4 className="text-muted text-sm">{title}</h4>
    {children}
  </section>
);

const RESULTS: Readonly<Record<string, { tone: 'good' | 'bad' | 'neutral' | 'warn'; text: string }>> = {
  answers: { tone: 'good', text: 'answers' },
  'no-answer': { tone: 'warn', text: 'no answer' },
  unreachable: { tone: 'bad', text: 'unreachable' },
  untried: { tone: 'neutral', text: 'not tried' },
};

function Candidate({ candidate }: { candidate: Told['candidates'][number] }) {
  const { kind, endpoint, result, rttMs, used } = candidate;
  const { tone, text } = RESULTS[result] ?? { tone: 'neutral' as const, text: result };
  return (
    <li className="flex flex-wrap items-center gap-x-2 gap-y-0.5 border-line border-t py-1.5 text-sm first:border-t-0">
      <code className="min-w-0 grow break-all">{endpoint}</code>
      {used && <Badge tone="accent">in use</Badge>}
      <Badge tone={tone}>{rttMs === null ? text : `${text}, ${formatRtt(rttMs)}`}</Badge>
      <span className="w-full text-muted">{kind}</span>
    </li>
  );
}

function Server({ server }: { server: Told['servers'][number] }) {
  const { name, registered, transport, home, rttMs, failure } = server;
  return (
    <li className="flex flex-wrap items-center gap-x-2 gap-y-0.5 border-line border-t py-1.5 text-sm first:border-t-0">
      <span className="min-w-0 grow break-words">{name}</span>
      {home && <Badge tone="accent">home</Badge>}
      <Badge tone={registered ? 'good' : 'bad'}>
        {registered
          ? ['registered', transport?.toUpperCase(), rttMs === null ? undefined : formatRtt(rttMs)]
              .filter(Boolean)
              .join(', ')
          : 'not registered'}
      </Badge>
      {failure && <span className="w-full text-muted">{failure}</span>}
    </li>
  );
}

import { WarrenError } from '@warren/base';
import { take, WarrenProblem } from '@warren/client';
import type { Command } from 'commander';
import { type CommandContext, common, given } from './command.js';
import { follow, type ServerSentEvent } from './event-stream.js';
import { describeFailure, type RestClient } from './rest-client.js';
import type { Screen, Tone } from './screen.js';

/** Refusals that do not last: too many requests, and a server that restarts. */
const PASSING = [429, 500, 502, 503, 504];
const TONES: readonly (readonly [RegExp, Tone])[] = [
  [/revoke|delete|clone|expire|withdraw/, 'bad'],
  [/disable|offline|reset/, 'warning'],
  [/join|approve|online|restore/, 'good'],
];
const LONGEST_TYPE = 24;

/** What an event's data is, as far as it is known. */
export interface EventData {
  readonly type?: string;
  readonly at?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly networkId?: string | null;
  readonly auditId?: string;
  readonly reason?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface EventOptions {
  readonly json?: boolean;
  readonly since?: string;
  readonly network?: string;
}

/** `warren events`: what happens, as it happens. */
export function eventCommands(program: Command, context: CommandContext): void {
  common(program.command('events'))
    .description('what happens, as it happens, until it is stopped')
    .option('--network <network>', 'only events of this network')
    .option('--since <id>', 'begin with what came after the event of this id (`id` with --json)')
    .action(async (options: EventOptions, command: Command) => {
      const { output, screen } = context;
      await followEvents(await context.client(command), context, {
        ...options,
        onEvent: (event) => {
          const data = dataOf(event);
          const line = options.json ? JSON.stringify({ id: event.id, ...data }) : eventText(event.event, data, screen);
          output.out(`${line}\n`);
        },
      });
    });
}

/**
 * Follows the events of a control plane until `stop`, over restarts and broken connections.
 *
 * @throws WarrenError what the control plane refuses with
 */
export async function followEvents(
  rest: RestClient,
  { output, stop }: CommandContext,
  options: Pick<EventOptions, 'since' | 'network'> & {
    onEvent(event: ServerSentEvent): void;
    /** Before the first event, while the stream is open already: what is read now and what comes then is everything. */
    onOpen?(): Promise<void>;
  },
): Promise<void> {
  let connected = false;
  const open = async (lastId: string): Promise<ReadableStream<Uint8Array>> => {
    const query = given({ network: options.network, lastEventId: lastId || undefined });
    const stream = await take(
      rest.GET('/api/v1/events', { params: { query }, parseAs: 'stream', signal: stop ?? null }),
    );
    if (!connected) await options.onOpen?.();
    connected = true;
    return stream as ReadableStream<Uint8Array>;
  };
  try {
    await follow({
      since: options.since ?? '',
      ...(stop ? { signal: stop } : {}),
      open,
      // Who was never let in is told why; who was waits for a control plane that restarts.
      isPassing: (error) =>
        connected &&
        (error instanceof WarrenProblem ? PASSING.includes(error.status) : !(error instanceof WarrenError)),
      onEvent: options.onEvent,
      onLost: (error) => output.err(`warren: the connection was lost${reason(error, rest)}; trying again\n`),
    });
  } catch (error) {
    throw describeFailure(error, rest.target);
  }
}

function reason(error: unknown, { target }: RestClient): string {
  if (error === undefined) return '';
  const failure = describeFailure(error, target);
  return `: ${failure instanceof Error ? failure.message : String(failure)}`;
}

/** The event's data; nothing, where it is no JSON object. */
export function dataOf({ data }: ServerSentEvent): EventData {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function eventText(type: string, { at, actor, subject, reason: why, details }: EventData, screen: Screen): string {
  const tone = TONES.find(([pattern]) => pattern.test(type))?.[1];
  return screen.line([
    { text: at ?? new Date(screen.now).toISOString(), tone: 'dim' },
    { text: type.padEnd(LONGEST_TYPE), tone },
    why ?? subjectText(subject ?? '', details),
    actor === undefined ? '' : `by ${actor}`,
  ]);
}

/** By name, where the entry tells it: an id says nothing to people. */
export const subjectText = (subject: string, details: Readonly<Record<string, unknown>> | undefined): string =>
  typeof details?.name === 'string' ? details.name : subject;

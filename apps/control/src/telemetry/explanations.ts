import { type NodeId, WarrenError } from '@warren/base';
import type { ExplainAnswer } from '@warren/proto';
import type { z } from 'zod';
import type { Session } from '../hub/session.js';
import { ExplanationView } from '../rest/telemetry-schemas.js';
import type { Connection } from './node-state.js';

/** Milliseconds that an agent may take to answer. */
const ANSWER_TIME = 5_000;
/** Questions that one agent is asked at the same time. */
const MOST_ASKED = 4;
/** Characters of an answer; it is sent as UTF-8 of at most as many bytes. */
const LONGEST_ANSWER = 65_536;
const LONGEST_FAILURE = 300;
/** A terminal obeys the first kind, and the second turns the order of what is read. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;

interface Question {
  readonly session: Session;
  readonly settle: (answer: ExplainAnswer | WarrenError) => void;
}

/** What agents are asked now, and what they answer. */
export class Explanations {
  readonly #open = new Map<number, Question>();
  #last = 0;

  constructor(private readonly answerTime = ANSWER_TIME) {}

  /** @throws WarrenError `agent-silent`, `agent-too-old`, `agent-offline`, `agent-answer-bad`, `explain-failed`, `too-many-requests` */
  async ask(
    { session, hasReported }: Connection,
    name: string,
    peer: NodeId,
  ): Promise<z.infer<typeof ExplanationView>> {
    const asked = [...this.#open.values()].filter((question) => question.session === session).length;
    if (asked >= MOST_ASKED)
      throw new WarrenError('too-many-requests', `the agent of ${name} is being asked already: try again in a moment`);
    this.#last += 1;
    const id = this.#last;
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<ExplainAnswer | WarrenError>((settle) => {
      this.#open.set(id, { session, settle });
      timer = setTimeout(() => settle(silent(name, hasReported)), this.answerTime);
      session.tell({ $case: 'explain', value: { id, nodeId: peer } });
    });
    clearTimeout(timer);
    this.#open.delete(id);
    if (answer instanceof WarrenError) throw answer;
    return read(answer, name);
  }

  /** @returns whether it was asked for. */
  answer(session: Session, answer: ExplainAnswer): boolean {
    const question = this.#open.get(answer.id);
    if (question?.session !== session) return false;
    question.settle(answer);
    return true;
  }

  /** The agent is gone. */
  end(session: Session): void {
    for (const question of this.#open.values()) {
      if (question.session !== session) continue;
      question.settle(new WarrenError('agent-offline', 'the agent went offline before it answered: try again later'));
    }
  }
}

const silent = (name: string, hasReported: boolean): WarrenError =>
  hasReported
    ? new WarrenError('agent-silent', `the agent of ${name} did not answer within some seconds: try again`)
    : new WarrenError('agent-too-old', `the agent of ${name} does not answer such questions: update it`);

function read({ json, failure }: ExplainAnswer, name: string): z.infer<typeof ExplanationView> {
  if (failure !== '') {
    const text = failure.slice(0, LONGEST_FAILURE).replaceAll(UNSEEN, ' ');
    throw new WarrenError('explain-failed', `the agent of ${name} says: ${text}`);
  }
  const parsed = ExplanationView.safeParse(json.length > LONGEST_ANSWER ? undefined : parseJson(json));
  if (parsed.success) return parsed.data;
  throw new WarrenError(
    'agent-answer-bad',
    `the agent of ${name} answered what is no explanation: are the versions far apart?`,
  );
}

function parseJson(text: string): unknown {
  try {
    const shown = (_: string, value: unknown) => (typeof value === 'string' ? value.replaceAll(UNSEEN, ' ') : value);
    return JSON.parse(text, shown);
  } catch {
    return undefined; // No explanation either.
  }
}

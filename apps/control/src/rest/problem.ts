import { WarrenError } from '@warren/base';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { isExpected, refusalOf } from '../errors.js';
import type { Log } from '../log.js';
import { ConflictingFiles } from './import-conflict.js';

const PROBLEM_TYPE = 'application/problem+json';

/** RFC 9457 §3.1, with our stable `code`. */
interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** Fastify's own refusals, in our codes. */
const FASTIFY_CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['bad-request', 'the body is not valid JSON'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'the body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['media-type-unsupported', 'the body must be application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad-request', 'the content length does not match the body'],
  FST_ERR_BAD_URL: ['bad-request', 'the URL is malformed'],
  FST_ERR_MAX_PARAM_LENGTH: ['bad-request', 'a part of the URL is too long'],
};

function problemOf(error: unknown): ProblemDocument {
  const fields = validationErrors(error);
  const { code, message, http } = refusalOf(fields ? new WarrenError('bad-request', summary(fields)) : ours(error));
  return {
    type: `urn:warren:problem:${code}`,
    title: code.replaceAll('-', ' '),
    status: http,
    detail: message,
    code,
    ...(fields ? { errors: fields } : {}),
    ...(error instanceof ConflictingFiles ? { errors: error.errors } : {}),
  };
}

/** The one way in which REST says that something is wrong. */
export function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error);
  if (problem.status === 401 && !reply.hasHeader('www-authenticate'))
    void reply.header('www-authenticate', 'Bearer realm="warren"');
  return reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(problem));
}

export function errorHandler(log: Log): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const expected = isExpected(ours(error)) || hasZodFastifySchemaValidationErrors(error);
    if (!expected) log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed');
    void sendProblem(reply, error);
  };
}

function ours(error: unknown): unknown {
  const known = FASTIFY_CODES[(error as FastifyError).code];
  return known ? new WarrenError(known[0], known[1]) : error;
}

function validationErrors(error: unknown): { path: string; message: string }[] | undefined {
  if (!hasZodFastifySchemaValidationErrors(error)) return undefined;
  const where = (error as { validationContext?: string }).validationContext ?? 'request';
  return error.validation.map((issue) => ({
    path: [where, ...issue.instancePath.split('/').filter(Boolean)].join('.'),
    message: issue.message ?? 'is not valid',
  }));
}

const summary = (fields: readonly { path: string; message: string }[]): string =>
  fields
    .map(({ path, message }) => `${path}: ${message}`)
    .join('; ')
    .slice(0, 500);

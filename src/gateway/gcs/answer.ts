// How the Cloud Storage front answers.
import type { IncomingMessage } from 'node:http';
import type { GcsError } from '../../wire/gcs/errors.ts';
import { errorBody } from '../../wire/gcs/results.ts';
import { type Answer, Answers, type No } from '../store-front/answer.ts';

/** What an operation gives back; its documents are JSON. */
export type GcsAnswer = Answer | No<GcsError>;

/** Answers in the JSON API's dress. */
export const gcsAnswers: Answers<GcsError> = new Answers({
  documentType: 'application/json; charset=UTF-8',
  commonHeaders: ({ decision }, isObject) => ({
    'x-jobpass-decision': decision,
    'cache-control': isObject ? 'private, max-age=0' : 'no-store',
  }),
  encode: (error, { decision, req }) => {
    const { retryAfterSeconds, status } = error;
    const headers = {
      ...(status === 401 ? { 'www-authenticate': challenge(req) } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    };
    return { status, headers, body: JSON.stringify(errorBody(error, decision)) };
  },
});

/** RFC 6750 §3: the error is named only when a credential was presented. */
const challenge = ({ headers }: IncomingMessage): string =>
  headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';

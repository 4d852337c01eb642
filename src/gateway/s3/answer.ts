// How the S3 front answers.
import type { Clock } from '../../base/ports/clock.ts';
import type { S3Error } from '../../wire/s3/errors.ts';
import { encodeS3Error } from '../../wire/s3/results.ts';
import { type Answer, Answers, type No } from '../store-front/answer.ts';

export type S3Answer = Answer;
export type S3No = No<S3Error>;

/**
 * Answers in S3's XML. The time is that of the clock that signatures are judged by: clients whose own is wrong take it from here
 * and sign again. Node's own header would tell the machine's.
 */
export const s3Answers = (clock: Pick<Clock, 'nowSeconds'>): Answers<S3Error> =>
  new Answers({
    documentType: 'application/xml',
    commonHeaders: ({ decision }) => ({
      date: new Date(clock.nowSeconds() * 1000).toUTCString(),
      'x-amz-request-id': decision,
    }),
    encode: (error, { decision, req }) => {
      const { body, ...head } = encodeS3Error(error, { requestId: decision, isHead: req.method === 'HEAD' });
      return { ...head, body: body === '' ? null : body };
    },
  });

// How the Blob front answers.
import { challenge, commonHeaders } from '../../wire/blob/common-headers.ts';
import type { BlobError } from '../../wire/blob/errors.ts';
import { encodeError } from '../../wire/blob/results.ts';
import type { Authority } from '../authorize.ts';
import { type Answer, Answers, type No } from '../store-front/answer.ts';

export type BlobAnswer = Answer;
export type BlobNo = No<BlobError>;

/** Answers in Azure's XML. Who has no good token reads where tokens come from. */
export const blobAnswers = ({ knowledge, stsUrl }: Pick<Authority, 'knowledge' | 'stsUrl'>): Answers<BlobError> =>
  new Answers({
    documentType: 'application/xml',
    commonHeaders: ({ decision, req }) =>
      commonHeaders({
        requestId: decision,
        nowSeconds: knowledge.nowSeconds(),
        version: single(req.headers['x-ms-version']),
        clientRequestId: single(req.headers['x-ms-client-request-id']),
      }),
    encode: (error, { decision, req }) => {
      const nowMs = knowledge.nowSeconds() * 1000;
      const encoded = encodeError(error, { requestId: decision, nowMs, isHead: req.method === 'HEAD' });
      const asked = encoded.status === 401 ? { 'www-authenticate': challenge(stsUrl) } : {};
      return { ...encoded, headers: { ...encoded.headers, ...asked } };
    },
  });

const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

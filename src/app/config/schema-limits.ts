// The limits section of jobpass.yaml: whom the servers believe about addresses, and how much anybody may ask of them.
import * as z from 'zod';
import { MAX_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import { addressRange, duration } from './schema-texts.ts';

const MAX_RATE = 1_000_000;

const rate = () =>
  z.strictObject({
    per_second: z.number().int().min(1).max(MAX_RATE).describe('For ever.'),
    burst: z.number().int().min(1).max(MAX_RATE).optional().describe('At once. Default: twice as many.'),
  });

/** The section. What it leaves out has the defaults of plan-limits.ts. */
export const limits = () =>
  z.strictObject({
    clock_skew: duration(MAX_CLOCK_SKEW_SECONDS, '5m')
      .optional()
      .describe('What the STS and the gateways allow between clocks. Default: 30s.'),
    trusted_proxies: z
      .array(addressRange())
      .max(256)
      .optional()
      .describe('Proxies whose `X-Forwarded-For` says who the caller is, read from the right. Default: none.'),
    drain: duration(600, '10m')
      .optional()
      .describe(
        'How long a server that is told to stop goes on answering while `/readyz` says no, if anybody has asked that of late. Default: 5s.',
      ),
    connections_per_source: z
      .number()
      .int()
      .min(1)
      .max(MAX_RATE)
      .optional()
      .describe('Of the 1000 connections of a listener, how many one address may hold. Default: 500.'),
    rates: z
      .strictObject({
        source: rate()
          .optional()
          .describe('Requests of one address (of IPv6: one /64), before anything of them is read. Default: 1000.'),
        client: rate().optional().describe('Requests of one `clients:` entry. Default: 1000.'),
        issuer: rate().optional().describe('Tokens of one trusted issuer at the STS. Default: 1000.'),
        job: rate()
          .optional()
          .describe('ID tokens of one job at the issuer, and its exchanges at the STS. Default: 50, burst 200.'),
        gateway_job: rate().optional().describe('Requests of one job at a gateway. Default: 500, burst 2000.'),
      })
      .optional()
      .describe('How many requests are answered; the others are told to come again.'),
  });

/** The section as the schema has checked it. */
export type LimitsSection = z.infer<ReturnType<typeof limits>>;

// Every metric there is, with what it says and the bounds of its labels. docs/metrics.md is made of it.
import { WIRES } from '../../base/audit/record.ts';
import { REASONS } from '../../base/core/reasons.ts';
import type { MetricDefinition } from './registry.ts';

const OUTCOMES = ['granted', 'refused'];
const REASON = ['none', ...Object.keys(REASONS)];
/** `issuer`, `sts`, `gateway NAME`. */
const SERVER = { atMost: 50 };
const ISSUER = { atMost: 100 };
const GATEWAY = { atMost: 100 };
const LATENCIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const defined = <L extends string>(definition: MetricDefinition<L>): MetricDefinition<L> => definition;

/** Every metric there is; docs/metrics.md is made of it. */
export const METRICS = {
  ready: defined({
    name: 'jobpass_ready',
    kind: 'gauge',
    help: '1 while the server could answer a request, as /readyz says.',
    labels: { server: SERVER },
  }),
  decisions: defined({
    name: 'jobpass_decisions_total',
    kind: 'counter',
    help: 'Decisions of the STS; tenant and role are those of an active role, else none.',
    labels: { wire: WIRES, outcome: OUTCOMES, reason: REASON, tenant: { atMost: 50 }, role: { atMost: 200 } },
  }),
  exchangeSeconds: defined({
    name: 'jobpass_exchange_seconds',
    kind: 'histogram',
    help: 'From a read request to its durable decision, at the STS.',
    labels: { wire: WIRES, outcome: OUTCOMES },
    buckets: LATENCIES,
  }),
  claims: defined({
    name: 'jobpass_issuer_claims_total',
    kind: 'counter',
    help: 'Claims that verified tokens of an issuer lack (missing) or have (unknown) against what is known of its CI provider.',
    labels: { issuer: ISSUER, drift: ['missing', 'unknown'], claim: { atMost: 100 } },
  }),
  gatewayRequests: defined({
    name: 'jobpass_gateway_requests_total',
    kind: 'counter',
    help: 'Requests of a gateway by front and by why they were refused; none: they were allowed.',
    labels: {
      gateway: GATEWAY,
      front: ['guard', 'check', 's3', 'blob', 'gcs'],
      reason: REASON,
      class: ['1xx', '2xx', '3xx', '4xx', '5xx'],
    },
  }),
  responses: defined({
    name: 'jobpass_http_responses_total',
    kind: 'counter',
    help: 'Answers of issuer and STS by listener and class of status.',
    labels: { listener: ['issuer', 'sts', 'admin'], class: ['1xx', '2xx', '3xx', '4xx', '5xx'] },
  }),
  limited: defined({
    name: 'jobpass_limited_total',
    kind: 'counter',
    help: 'Requests that were refused because there were too many, and connections that were turned away.',
    labels: { server: SERVER, kind: ['source', 'client', 'issuer', 'job', 'connection'] },
  }),
  storeSeconds: defined({
    name: 'jobpass_store_seconds',
    kind: 'histogram',
    help: 'Writes of the store until they were durable, or had failed.',
    labels: { server: SERVER, operation: { atMost: 50 } },
    buckets: LATENCIES,
  }),
  storeFailures: defined({
    name: 'jobpass_store_failures_total',
    kind: 'counter',
    help: 'Writes that the store did not take.',
    labels: { server: SERVER, operation: { atMost: 50 } },
  }),
  feedAge: defined({
    name: 'jobpass_feed_age_seconds',
    kind: 'gauge',
    help: 'Age of what the STS knows of the ends of an issuer’s jobs; +Inf before the first word. Above 10, exchanges ask the issuer.',
    labels: { issuer: ISSUER },
  }),
  jwksAge: defined({
    name: 'jobpass_jwks_age_seconds',
    kind: 'gauge',
    help: 'Age of an issuer’s last good key set; +Inf before the first. It is used for 24 h at most.',
    labels: { issuer: ISSUER },
  }),
  gatewayPollAge: defined({
    name: 'jobpass_gateway_poll_age_seconds',
    kind: 'gauge',
    help: 'Since the STS last answered a gateway’s poll; +Inf before the first.',
    labels: { gateway: GATEWAY },
  }),
  gatewayFeedAge: defined({
    name: 'jobpass_gateway_feed_age_seconds',
    kind: 'gauge',
    help: 'Age of what a gateway knows from its STS; +Inf before the first word. Above 10, it refuses.',
    labels: { gateway: GATEWAY },
  }),
  signingKeyAge: defined({
    name: 'jobpass_signing_key_age_seconds',
    kind: 'gauge',
    help: 'Since the key that signs began to.',
    labels: { server: SERVER, ring: { atMost: 10 } },
  }),
  certificateExpiry: defined({
    name: 'jobpass_tls_certificate_expiry_timestamp_seconds',
    kind: 'gauge',
    help: 'When the certificate that a server shows expires.',
    labels: { server: SERVER },
  }),
  clockSteps: defined({
    name: 'jobpass_clock_steps_total',
    kind: 'counter',
    help: 'Times that the wall clock moved by more than a second against the monotonic one.',
    labels: { direction: ['forward', 'back'] },
  }),
  residentMemory: defined({
    name: 'process_resident_memory_bytes',
    kind: 'gauge',
    help: 'Memory of the process.',
    labels: {},
  }),
  cpuSeconds: defined({
    name: 'process_cpu_seconds_total',
    kind: 'counter',
    help: 'Processor time of the process.',
    labels: {},
  }),
  startTime: defined({
    name: 'process_start_time_seconds',
    kind: 'gauge',
    help: 'When the process began.',
    labels: {},
  }),
  eventLoopDelay: defined({
    name: 'jobpass_event_loop_delay_seconds',
    kind: 'gauge',
    help: 'How late timers came since the metrics were last read.',
    labels: { quantile: ['0.5', '0.99', '1'] },
  }),
};

// The four wires as one: how each asks for the role of the table, and what its answers say. A wire more is an adapter more.
import type { Wire } from '../../../src/base/audit/record.ts';
import { assumeRole, memberOf } from '../../fakes/aws-calls.ts';
import { askToken } from '../../fakes/azure-calls.ts';
import { gcpToken } from '../../fakes/gcp-calls.ts';
import type { StsAnswer, StsWorld } from '../../fakes/sts-world.ts';
import { AZURE_CLIENT, PROVIDER, ROLE, ROLE_ARN } from './policies.ts';

/** What a wire's clients see of an answer. */
interface WireAnswer {
  readonly granted: boolean;
  readonly status: number;
  /** The error, as the wire's clients know it; null of a grant. */
  readonly code: string | null;
  /** The decision's id; null where a grant does not tell it. */
  readonly decisionId: string | null;
}

export interface WireAdapter {
  readonly wire: Wire;
  readonly ask: (world: StsWorld, token: string) => Promise<WireAnswer>;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** An OAuth answer. */
const oauth = ({ json, status }: StsAnswer): WireAnswer => ({
  granted: typeof json.access_token === 'string',
  status,
  code: textOf(json.error),
  decisionId: textOf(json.decision_id),
});

export const WIRES: readonly WireAdapter[] = [
  {
    wire: 'rfc8693',
    ask: async (world, token) => oauth(await world.exchange(token, { audience: `urn:jobpass:role:${ROLE}` })),
  },
  {
    wire: 'aws',
    ask: async (world, token) => {
      const answer = await assumeRole(world, token, { RoleArn: ROLE_ARN });
      return {
        granted: memberOf(answer, 'SecretAccessKey') !== undefined,
        status: answer.status,
        code: memberOf(answer, 'Code') ?? null,
        decisionId: memberOf(answer, 'RequestId') ?? null,
      };
    },
  },
  {
    wire: 'gcp',
    ask: async (world, token) => oauth(await gcpToken(world, token, { audience: PROVIDER })),
  },
  {
    wire: 'azure',
    ask: async (world, token) => {
      const answer = await askToken(world, token, { form: { client_id: AZURE_CLIENT } });
      const { error_codes: codes, error_description: description } = answer.json;
      return {
        ...oauth(answer),
        code: Array.isArray(codes) ? String(codes[0]) : null,
        decisionId: /decisions show (D[0-9A-Z]{12})/.exec(String(description))?.[1] ?? null,
      };
    },
  },
];

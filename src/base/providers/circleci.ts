// CircleCI: facts from the reference "CI providers as OIDC issuers" §1.4. Data only.
import type { JsonValue } from '../core/json.ts';
import type { Provider, SubjectForms } from './provider.ts';

const BY_A_WEBHOOK = 'not for triggers by a custom webhook';

// §1.4: v1 and v2 of `sub`; the second adds where the code came from.
const V1 = 'org/{org_id}/project/{project_id}/user/{user_id}';
const SUBJECTS: SubjectForms = { v1: [V1], v2: [`${V1}/vcs-origin/{vcs_origin}/vcs-ref/{vcs_ref}`, V1] };

const CLAIMS: Readonly<Record<string, JsonValue>> = {
  aud: '{audience}',
  'oidc.circleci.com/context-ids': ['{context_id}'],
  'oidc.circleci.com/job-id': '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b1001',
  'oidc.circleci.com/org-id': '{org_id}',
  'oidc.circleci.com/pipeline-definition-id': '{pipeline_definition_id}',
  'oidc.circleci.com/pipeline-id': '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b1002',
  'oidc.circleci.com/project-id': '{project_id}',
  'oidc.circleci.com/ssh-rerun': false,
  'oidc.circleci.com/vcs-origin': '{vcs_origin}',
  'oidc.circleci.com/vcs-ref': '{vcs_ref}',
  'oidc.circleci.com/workflow-id': '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b1003',
};

export const CIRCLECI: Provider = {
  name: 'circleci',
  title: 'CircleCI',
  issuer: {
    usual: 'https://oidc.circleci.com/org/{org_id}',
    pattern: /^https:\/\/oidc\.circleci\.com(?:\/org\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/,
    form: 'https://oidc.circleci.com/org/ORG-UUID; every job can ask for https://oidc.circleci.com with --root-issuer',
  },
  claims: {
    iss: {
      immutable: true,
      setBy: 'provider',
      example: 'https://oidc.circleci.com/org/7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0042',
    },
    aud: {
      immutable: false,
      setBy: 'anyone',
      example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0042',
      note: 'the organization’s id, or what the job asks for with `circleci run oidc get`',
    },
    sub: {
      immutable: false,
      setBy: 'anyone',
      example:
        'org/7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0042/project/7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0007/user/7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0009',
      note: 'ids only; says who started it; v2 also where the code came from',
    },
    iat: { immutable: true, setBy: 'provider', example: 1795403647 },
    exp: { immutable: true, setBy: 'provider', example: 1795407247 },
    'oidc.circleci.com/context-ids': {
      immutable: true,
      setBy: 'anyone',
      example: ['7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0c01'],
      note: 'a list; a job names contexts, the owner restricts who may',
    },
    'oidc.circleci.com/job-id': { immutable: true, setBy: 'provider', example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b1001' },
    'oidc.circleci.com/org-id': { immutable: true, setBy: 'provider', example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0042' },
    'oidc.circleci.com/pipeline-definition-id': {
      immutable: true,
      setBy: 'provider',
      example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0d01',
    },
    'oidc.circleci.com/pipeline-id': {
      immutable: true,
      setBy: 'provider',
      example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b1002',
    },
    'oidc.circleci.com/project-id': {
      immutable: true,
      setBy: 'provider',
      example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0007',
    },
    'oidc.circleci.com/ssh-rerun': {
      immutable: false,
      setBy: 'anyone',
      example: false,
      note: 'a boolean: somebody has a shell',
    },
    'oidc.circleci.com/vcs-origin': {
      immutable: false,
      setBy: 'anyone',
      example: 'github.com/acme/web',
      when: BY_A_WEBHOOK,
      note: 'the fork’s, when forks may have tokens: the only thing that tells them apart',
    },
    'oidc.circleci.com/vcs-ref': { immutable: false, setBy: 'anyone', example: 'refs/heads/main', when: BY_A_WEBHOOK },
    'oidc.circleci.com/workflow-id': {
      immutable: true,
      setBy: 'provider',
      example: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b1003',
    },
  },
  parameters: {
    subject: { value: 'v1', oneOf: ['v1', 'v2'] },
    org_id: { value: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0042', isOneName: true },
    project_id: { value: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0007', isOneName: true },
    user_id: { value: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0009', isOneName: true },
    context_id: { value: null },
    pipeline_definition_id: { value: '7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0d01' },
    audience: { value: '{org_id}' },
    owner: { value: 'acme', isOneName: true },
    repository: { value: 'web', isOneName: true },
    branch: { value: 'main' },
    tag: { value: 'v1.2.3' },
    vcs_origin: { value: 'github.com/{owner}/{repository}' },
    vcs_ref: { value: 'refs/heads/{branch}' },
  },
  // §1.4: one hour.
  lifetimeSeconds: 3600,
  backdatedSeconds: null,
  token: { subjects: SUBJECTS, claims: CLAIMS },
  events: [
    { name: 'circleci push', argument: 'branch' },
    { name: 'circleci tag', argument: 'tag', parameters: { vcs_ref: 'refs/tags/{tag}' } },
    { name: 'circleci pull request', parameters: { branch: 'feature' } },
    {
      name: 'circleci pull request from a fork',
      note: 'only when the project passes secrets to builds of forks; project-id is ours, only vcs-origin is the fork’s',
      parameters: { owner: 'mallory', vcs_ref: 'refs/heads/{branch}' },
    },
    { name: 'circleci custom webhook', parameters: { vcs_origin: null, vcs_ref: null } },
    { name: 'circleci ssh rerun', claims: { 'oidc.circleci.com/ssh-rerun': true } },
  ],
};

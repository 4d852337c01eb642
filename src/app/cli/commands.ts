// The table of commands. Each is loaded when it is asked for, so that a small one starts as fast as Node itself.
import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'write a configuration, its keys, one role and its test',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'serve',
    summary: 'run the servers of jobpass.yaml',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'demo',
    summary: 'watch a real job get an identity, use it, and lose it',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    name: 'run',
    summary: 'run a pipeline as an ephemeral local CI',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'token',
    summary: 'in a job: an ID token for one audience',
    load: async () => (await import('./commands/token.ts')).token,
  },
  {
    name: 'exchange',
    summary: 'in a job: temporary credentials for one role',
    load: async () => (await import('./commands/exchange.ts')).exchange,
  },
  {
    name: 'exec',
    summary: 'in a job: run a program with temporary credentials',
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  {
    name: 'whoami',
    summary: 'in a job: what its identity says',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  {
    name: 'job start',
    summary: 'as a controller: start a job',
    load: async () => (await import('./commands/job.ts')).jobStart,
  },
  {
    name: 'job heartbeat',
    summary: 'as a controller: say that a job still runs',
    load: async () => (await import('./commands/job.ts')).jobHeartbeat,
  },
  {
    name: 'job finish',
    summary: 'as a controller: end a job and all it holds',
    load: async () => (await import('./commands/job.ts')).jobFinish,
  },
  {
    name: 'decisions show',
    summary: 'why something was granted or refused',
    load: async () => (await import('./commands/decisions.ts')).decisionsShow,
  },
  {
    name: 'decisions list',
    summary: 'the newest decisions',
    load: async () => (await import('./commands/decisions.ts')).decisionsList,
  },
  {
    name: 'sessions list',
    summary: 'what is in force',
    load: async () => (await import('./commands/sessions.ts')).sessionsList,
  },
  {
    name: 'sessions end',
    summary: 'end a session, a job, or everything of a role, a tenant, an issuer',
    load: async () => (await import('./commands/sessions.ts')).sessionsEnd,
  },
  {
    name: 'sessions epochs',
    summary: 'what was ended as a whole, and up to when',
    load: async () => (await import('./commands/sessions.ts')).sessionsEpochs,
  },
  {
    name: 'freeze',
    summary: 'stop granting, and grant again',
    load: async () => (await import('./commands/freeze.ts')).freeze,
  },
  {
    name: 'audit tail',
    summary: 'the newest decisions and actions',
    load: async () => (await import('./commands/audit.ts')).auditTail,
  },
  {
    name: 'audit verify',
    summary: 'whether the audit trail is as it was written',
    load: async () => (await import('./commands/audit-verify.ts')).auditVerify,
  },
  {
    name: 'audit export',
    summary: 'the audit trail as JSON Lines or OCSF events',
    load: async () => (await import('./commands/audit.ts')).auditExport,
  },
  {
    name: 'audit prune',
    summary: 'let old audit records go',
    load: async () => (await import('./commands/audit.ts')).auditPrune,
  },
  {
    name: 'audit keys',
    summary: 'the keys that sign checkpoints of the audit trail',
    load: async () => (await import('./commands/audit.ts')).auditKeys,
  },
  {
    name: 'policy explain',
    summary: 'why a token has a role, or has it not',
    load: async () => (await import('./commands/policy-explain.ts')).policyExplain,
  },
  {
    name: 'policy test',
    summary: 'check roles against their tests',
    load: async () => (await import('./commands/policy-test.ts')).policyTest,
  },
  {
    name: 'doctor',
    summary: 'whether an issuer’s token and a cloud’s trust policy agree',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'backup',
    summary: 'an encrypted copy of a server’s database',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  {
    name: 'restore',
    summary: 'put a backup in place of a stopped server’s database',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  {
    name: 'keys list',
    summary: 'the keys of issuer and STS, and what happens to them when',
    load: async () => (await import('./commands/key-rings.ts')).keysList,
  },
  {
    name: 'keys prepare',
    summary: 'make and publish the next key of a ring',
    load: async () => (await import('./commands/key-rings.ts')).keysPrepare,
  },
  {
    name: 'keys activate',
    summary: 'let a prepared key sign',
    load: async () => (await import('./commands/key-rings.ts')).keysActivate,
  },
  {
    name: 'keys retire',
    summary: 'take a key that signs no more out of what is published',
    load: async () => (await import('./commands/key-rings.ts')).keysRetire,
  },
  {
    name: 'keys revoke',
    summary: 'in an emergency: refuse at once whatever a key signed',
    load: async () => (await import('./commands/key-rings.ts')).keysRevoke,
  },
  {
    name: 'keys rewrap',
    summary: 'seal every key with the key-encryption key of now',
    load: async () => (await import('./commands/keys-rewrap.ts')).keysRewrap,
  },
  {
    name: 'keys export',
    summary: 'write the issuer’s public documents, or print a gateway’s public key',
    load: async () => (await import('./commands/keys.ts')).keysExport,
  },
];

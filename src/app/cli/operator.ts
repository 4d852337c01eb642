// Talks to the operator routes of a running issuer or STS over its Unix socket, never to its database.
import { request } from 'node:http';
import { resolve } from 'node:path';
import { type JsonObject, stringMember } from '../../base/core/json.ts';
import { Secret } from '../../base/core/secret.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import { basicAuthorization } from '../../wire/authorization.ts';
import { readPrivateFile } from '../config/secret-reference.ts';
import { CommandFailure, EXIT, type Surroundings } from './command.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** Whose operators' socket. */
export type OperatorServer = 'issuer' | 'sts';

/** Where `init` and `serve --dev` leave the credential for each, and the variable that names another place. */
const CREDENTIALS = {
  issuer: {
    name: 'issuer',
    variable: 'JOBPASS_ISSUER_OPERATOR_FILE',
    places: ['.jobpass/issuer-operator.json', '.jobpass/dev/issuer-operator.json'],
  },
  sts: {
    name: 'STS',
    variable: 'JOBPASS_OPERATOR_FILE',
    places: ['.jobpass/operator.json', '.jobpass/dev/operator.json'],
  },
} as const;

/** What the server said; 401 has ended the command. */
export interface OperatorAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** GET of an operator route, or POST of `post`. Ends the command when the server does not answer or does not know the operator. */
export async function askOperator(
  credential: OperatorCredential,
  path: string,
  post?: JsonObject,
): Promise<OperatorAnswer> {
  const { socket, client, secret } = credential;
  const { status, bytes } = await call({ socket, path, authorization: basicAuthorization(client, secret), post });
  const body = parseJsonObject(bytes);
  if (!body.ok)
    throw new CommandFailure(`the server on ${socket} gave an answer that cannot be read`, {
      exitCode: EXIT.unavailable,
    });
  if (status === 401)
    throw new CommandFailure('the server does not know this operator', {
      exitCode: EXIT.denied,
      hint: 'JOBPASS_OPERATOR_FILE, at the issuer JOBPASS_ISSUER_OPERATOR_FILE, names another credential',
    });
  return { status, body: body.value };
}

/** What an operator authenticates with, and where. */
export interface OperatorCredential {
  readonly socket: string;
  readonly client: string;
  readonly secret: Secret;
}

type Places = Pick<Surroundings, 'env' | 'folder'>;

/** The credential at a server that the environment names, else the one that `init` or `serve --dev` left. Ends the command when there is none. */
export function operatorCredential(places: Places, server: OperatorServer = 'sts'): OperatorCredential {
  const found = findOperatorCredential(places, server);
  if (found !== undefined) return found;
  const { name, places: usual, variable } = CREDENTIALS[server];
  throw new CommandFailure(`no operator credential of the ${name} is found here`, {
    exitCode: EXIT.usage,
    hint: `jobpass init writes ${usual[0]}; ${variable} names another`,
  });
}

/** Likewise; undefined when there is none. */
export function findOperatorCredential(
  { env, folder }: Places,
  server: OperatorServer,
): OperatorCredential | undefined {
  const { places, variable } = CREDENTIALS[server];
  const named = env[variable];
  if (named !== undefined) return credentialIn(resolve(folder, named));
  for (const place of places) {
    const path = resolve(folder, place);
    const file = readPrivateFile(path);
    if (file.ok || file.error.kind !== 'absent') return credentialOf(path, file);
  }
  return undefined;
}

/** The credential in this very file. Ends the command when it cannot be read or is none. */
export const credentialIn = (file: string): OperatorCredential => credentialOf(file, readPrivateFile(file));

function credentialOf(path: string, file: ReturnType<typeof readPrivateFile>): OperatorCredential {
  if (file.ok) return readCredential(path, file.value.reveal());
  throw new CommandFailure(file.error.message, { exitCode: EXIT.usage, hint: file.error.hint });
}

function readCredential(path: string, content: string): OperatorCredential {
  const parsed = parseJsonObject(Buffer.from(content));
  const member = (name: string): string | undefined => (parsed.ok ? stringMember(parsed.value, name) : undefined);
  const [socket, client, secret] = [member('socket'), member('client'), member('secret')];
  if (socket === undefined || client === undefined || secret === undefined)
    throw new CommandFailure(`${path} is not an operator credential`, {
      exitCode: EXIT.usage,
      hint: 'it holds socket, client and secret',
    });
  return { socket, client, secret: new Secret(secret) };
}

interface Call {
  readonly socket: string;
  readonly path: string;
  readonly authorization: string;
  readonly post: JsonObject | undefined;
}

function call({ authorization, path, post, socket }: Call): Promise<{ status: number; bytes: Uint8Array }> {
  return new Promise((fulfil, reject) => {
    const unavailable = (cause: unknown): void => reject(noAnswer(socket, cause));
    const type = post === undefined ? {} : { 'content-type': 'application/json' };
    const method = post === undefined ? 'GET' : 'POST';
    const headers = { authorization, ...type };
    const asked = request({ socketPath: socket, path, method, headers, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      response.on('data', (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) asked.destroy();
        else chunks.push(chunk);
      });
      response.once('end', () => fulfil({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }));
      response.once('error', unavailable);
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', unavailable);
    asked.end(post === undefined ? undefined : JSON.stringify(post));
  });
}

function noAnswer(socket: string, cause: unknown): CommandFailure {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
  return new CommandFailure(`the server on ${socket} does not answer (${code})`, {
    exitCode: EXIT.unavailable,
    hint: 'jobpass serve starts it',
  });
}

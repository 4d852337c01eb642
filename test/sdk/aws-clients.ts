// The home of AWS's own clients: where they find nothing but the STS that they are told.
import { join } from 'node:path';
import { ClientHome } from './client-processes.ts';

/** A home without settings, and the environment of an AWS client that lives in it. */
export class AwsHome extends ClientHome {
  environment(stsUrl: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      ...this.variables,
      AWS_CONFIG_FILE: join(this.folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(this.folder, 'credentials'),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_REGION: 'eu-central-1',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_STS: stsUrl,
      ...more,
    };
  }
}

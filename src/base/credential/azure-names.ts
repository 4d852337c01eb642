// Names that Azure's clients use: of tenants and of applications. It only reads names; who may be whom is policy.

/** The audience that Azure's clients ask their CI for, and what Entra takes where a credential names none. */
export const AZURE_EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** At least two labels (RFC 1035 §2.3.4), so that no tenant can be spelt like one of this server's own paths. */
const DOMAIN = /^(?=.{3,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/**
 * What Azure takes in a tenant's place for people of any tenant. A job belongs to one tenant, so these name none here; the GUID
 * is that of `consumers`.
 */
const RESERVED = new Set(['common', 'organizations', 'consumers', '9188040d-6c67-4c5b-b112-36a304b66dad', 'adfs']);

/** Whether the text is one of the words that stand for people of any tenant. */
export const isReservedAzureTenant = (text: string): boolean => RESERVED.has(text.toLowerCase());

/** A tenant as Azure's clients name it, a GUID or a domain name, in lower case; undefined for anything else. */
export function parseAzureTenant(text: string): string | undefined {
  const name = text.toLowerCase();
  return (GUID.test(name) || DOMAIN.test(name)) && !RESERVED.has(name) ? name : undefined;
}

/** The id of an application or of a correlation, a GUID, in lower case; undefined for anything else. */
export function parseAzureGuid(text: string): string | undefined {
  const guid = text.toLowerCase();
  return GUID.test(guid) ? guid : undefined;
}

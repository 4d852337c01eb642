// The conformance suite of the store ports. A new engine is done when it passes this unchanged.
export { auditStoreConformance } from './conformance/audit.ts';
export { issuerStoreConformance } from './conformance/issuer.ts';
export { issuerBeginningConformance } from './conformance/issuer-beginnings.ts';
export { keyStoreConformance } from './conformance/keys.ts';
export { keyAuditConformance } from './conformance/keys-audit.ts';
export { stsStoreConformance } from './conformance/sts.ts';
export { stsAuditConformance } from './conformance/sts-audit.ts';
export { stsBeginningConformance } from './conformance/sts-beginnings.ts';
export { stsPolicyConformance } from './conformance/sts-policies.ts';

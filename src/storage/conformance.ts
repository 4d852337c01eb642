// The conformance suite of the three store ports. A new engine is done when it passes this unchanged.
export { issuerStoreConformance } from './conformance/issuer.ts';
export { keyStoreConformance } from './conformance/keys.ts';
export { stsStoreConformance } from './conformance/sts.ts';

// Every store port against PostgreSQL 18.
import { postgresConformance } from '../fakes/postgres-conformance.ts';

postgresConformance(18);

// Every store port against PostgreSQL 15.
import { postgresConformance } from '../fakes/postgres-conformance.ts';

postgresConformance(15);

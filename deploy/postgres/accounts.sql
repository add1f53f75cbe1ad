-- The accounts of PostgreSQL. deploy/postgres/render.ts removes comments and fills in the
-- passwords, as the values from which PostgreSQL verifies them. It may run again: then it sets the
-- passwords. A blank line ends each statement.

-- For people and tests.
ALTER ROLE admin PASSWORD '{{ADMIN_VERIFIER}}';

-- For the application: owns the database, and has no rights elsewhere.
DO $$ BEGIN
  CREATE ROLE maru LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;

ALTER ROLE maru PASSWORD '{{MARU_VERIFIER}}';

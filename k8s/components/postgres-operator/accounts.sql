-- The accounts of one service, with the rights that deploy/postgres/10-accounts.sh gives them. The operator runs this file
-- once in the new database, whose name is the service's, and sets the passwords afterwards.
DO $$
DECLARE
  service text := current_database();
  owner text := service || '_owner';
  app text := service || '_app';
  reader text := service || '_reader';
BEGIN
  EXECUTE format('CREATE ROLE %I LOGIN', app);
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', service);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', service, app);
  EXECUTE format('ALTER SCHEMA public OWNER TO %I', owner);
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', app);
  EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', owner, app);
  EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %I', owner, app);
  -- The auditor's account. It can do nothing until grant-readers allows it, and has no password where there is no auditor.
  EXECUTE format('CREATE ROLE %I LOGIN', reader);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', service, reader);
END
$$;
